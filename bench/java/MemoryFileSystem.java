import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.net.URI;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FSDataInputStream;
import org.apache.hadoop.fs.FSDataOutputStream;
import org.apache.hadoop.fs.FileStatus;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;
import org.apache.hadoop.fs.PositionedReadable;
import org.apache.hadoop.fs.Seekable;
import org.apache.hadoop.fs.permission.FsPermission;
import org.apache.hadoop.util.Progressable;

/**
 * One file in memory, so that neither the disk nor the checksums of Hadoop's local files are
 * measured.
 */
final class MemoryFileSystem extends FileSystem {
  static final Path path = new Path("memory:///file.orc");

  private final ByteArrayOutputStream written;
  private byte[] file;

  /** To be written; a file of more bytes than are expected costs a copy. */
  MemoryFileSystem(Configuration configuration, int expectedBytes) {
    setConf(configuration);
    written = new ByteArrayOutputStream(expectedBytes);
  }

  /** To be read. */
  MemoryFileSystem(Configuration configuration, byte[] file) {
    setConf(configuration);
    written = null;
    this.file = file;
  }

  byte[] bytes() {
    if (file == null) file = written.toByteArray();
    return file;
  }

  @Override
  public URI getUri() {
    return path.toUri();
  }

  @Override
  public FSDataOutputStream create(
      Path path,
      FsPermission permission,
      boolean overwrite,
      int bufferSize,
      short replication,
      long blockSize,
      Progressable progress)
      throws IOException {
    return new FSDataOutputStream(written, null);
  }

  @Override
  public FSDataInputStream open(Path path, int bufferSize) {
    return new FSDataInputStream(new Input(bytes()));
  }

  @Override
  public FileStatus getFileStatus(Path path) {
    return new FileStatus(bytes().length, false, 1, 256 * 1024 * 1024, 0, path);
  }

  @Override
  public FSDataOutputStream append(Path path, int bufferSize, Progressable progress) {
    throw new UnsupportedOperationException();
  }

  @Override
  public boolean rename(Path from, Path to) {
    throw new UnsupportedOperationException();
  }

  @Override
  public boolean delete(Path path, boolean recursive) {
    throw new UnsupportedOperationException();
  }

  @Override
  public FileStatus[] listStatus(Path path) {
    throw new UnsupportedOperationException();
  }

  @Override
  public void setWorkingDirectory(Path path) {}

  @Override
  public Path getWorkingDirectory() {
    return new Path("/");
  }

  @Override
  public boolean mkdirs(Path path, FsPermission permission) {
    throw new UnsupportedOperationException();
  }

  private static final class Input extends ByteArrayInputStream
      implements Seekable, PositionedReadable {
    Input(byte[] file) {
      super(file);
    }

    @Override
    public void seek(long position) {
      pos = (int) position;
    }

    @Override
    public long getPos() {
      return pos;
    }

    @Override
    public boolean seekToNewSource(long position) {
      return false;
    }

    @Override
    public int read(long position, byte[] bytes, int offset, int length) {
      int copied = (int) Math.min(length, count - position);
      if (copied <= 0) return -1;
      System.arraycopy(buf, (int) position, bytes, offset, copied);
      return copied;
    }

    @Override
    public void readFully(long position, byte[] bytes, int offset, int length)
        throws IOException {
      if (position + length > count) throw new EOFException();
      System.arraycopy(buf, (int) position, bytes, offset, length);
    }

    @Override
    public void readFully(long position, byte[] bytes) throws IOException {
      readFully(position, bytes, 0, bytes.length);
    }
  }
}
