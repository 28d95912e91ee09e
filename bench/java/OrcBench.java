import com.sun.management.OperatingSystemMXBean;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.util.List;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;
import org.apache.orc.CompressionCodec;
import org.apache.orc.CompressionKind;
import org.apache.orc.OrcConf;
import org.apache.orc.OrcFile;
import org.apache.orc.Reader;
import org.apache.orc.RecordReader;
import org.apache.orc.TypeDescription;
import org.apache.orc.Writer;
import org.apache.orc.impl.WriterImpl;
import org.apache.orc.storage.ql.exec.vector.VectorizedRowBatch;

/**
 * Java's side of the ORC benchmark, a process with one data set in memory that takes commands by
 * line, fields separated by tabs:
 *
 * <pre>
 *   facts                what runs here
 *   source               rows and checksum of the data set
 *   write CODEC LEVEL    writes a file into memory; CPU seconds and bytes
 *   read                 reads that file; CPU seconds and rows
 *   save PATH            copies that file to disk
 *   check PATH           rows and checksum, stripes and bytes of a block, of a file on disk
 * </pre>
 *
 * Answers begin with {@code =}. The arguments are the schema, whether there are nulls, the rows and
 * the rows of a batch.
 */
public final class OrcBench {
  private static final OperatingSystemMXBean system =
      (OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();

  private final Configuration configuration = new Configuration();
  private final TypeDescription schema;
  private final List<VectorizedRowBatch> batches;
  private final int batchRows;

  /** What was written last. */
  private byte[] file = new byte[0];

  private OrcBench(String[] arguments) {
    schema = TypeDescription.fromString(arguments[0]);
    batchRows = Integer.parseInt(arguments[3]);
    boolean hasNulls = Boolean.parseBoolean(arguments[1]);
    batches =
        OrcBenchData.batches(schema, hasNulls, Integer.parseInt(arguments[2]), batchRows);
  }

  public static void main(String[] arguments) throws Exception {
    OrcBench bench = new OrcBench(arguments);
    BufferedReader lines = new BufferedReader(new InputStreamReader(System.in));
    for (String line = lines.readLine(); line != null; line = lines.readLine()) {
      System.out.println("=" + bench.answer(line.split("\t", -1)));
    }
    System.exit(0);
  }

  private String answer(String[] fields) throws Exception {
    return switch (fields[0]) {
      case "facts" -> "\t" + facts();
      case "source" -> checkSource();
      case "write" -> write(CompressionKind.valueOf(fields[1].toUpperCase()), fields[2]);
      case "read" -> read();
      case "save" -> {
        Files.write(java.nio.file.Path.of(fields[1]), file);
        yield "";
      }
      case "check" -> check(fields[1]);
      default -> throw new IllegalArgumentException(fields[0]);
    };
  }

  private static String facts() {
    // The first word of "G1 Young Generation".
    String collector =
        ManagementFactory.getGarbageCollectorMXBeans().get(0).getName().split(" ")[0];
    CompressionCodec zstd = WriterImpl.createCodec(CompressionKind.ZSTD);
    String java = "Java " + Runtime.version() + " (" + collector;
    return java + ", zstd by " + zstd.getClass().getSimpleName() + ")";
  }

  private String checkSource() {
    OrcBenchData.Checksum checksum = new OrcBenchData.Checksum(schema);
    long rows = 0;
    for (VectorizedRowBatch batch : batches) {
      checksum.add(batch);
      rows += batch.size;
    }
    return "\t" + rows + "\t" + checksum;
  }

  private String write(CompressionKind kind, String level) throws Exception {
    if (kind == CompressionKind.ZSTD) {
      configuration.setInt(OrcConf.COMPRESSION_ZSTD_LEVEL.getAttribute(), Integer.parseInt(level));
    }
    long before = system.getProcessCpuTime();
    MemoryFileSystem memory = new MemoryFileSystem(configuration, file.length);
    OrcFile.WriterOptions options =
        OrcFile.writerOptions(configuration)
            .fileSystem(memory)
            .setSchema(schema)
            .compress(kind)
            .useUTCTimestamp(true)
            .setProlepticGregorian(true);
    try (Writer writer = OrcFile.createWriter(MemoryFileSystem.path, options)) {
      for (VectorizedRowBatch batch : batches) writer.addRowBatch(batch);
    }
    double seconds = secondsSince(before);
    file = memory.bytes();
    return "\t" + seconds + "\t" + file.length;
  }

  private String read() throws Exception {
    long before = system.getProcessCpuTime();
    long rows = 0;
    MemoryFileSystem memory = new MemoryFileSystem(configuration, file);
    try (Reader reader = open(MemoryFileSystem.path, memory);
        RecordReader records = reader.rows()) {
      VectorizedRowBatch batch = newBatch();
      while (records.nextBatch(batch)) rows += batch.size;
    }
    return "\t" + secondsSince(before) + "\t" + rows;
  }

  private String check(String path) throws Exception {
    OrcBenchData.Checksum checksum = new OrcBenchData.Checksum(schema);
    long rows = 0;
    try (Reader reader = open(new Path(path), FileSystem.getLocal(configuration));
        RecordReader records = reader.rows()) {
      VectorizedRowBatch batch = newBatch();
      while (records.nextBatch(batch)) {
        checksum.add(batch);
        rows += batch.size;
      }
      String shape = reader.getStripes().size() + "\t" + reader.getCompressionSize();
      return "\t" + rows + "\t" + checksum + "\t" + shape;
    }
  }

  private Reader open(Path path, FileSystem files) throws Exception {
    OrcFile.ReaderOptions options =
        OrcFile.readerOptions(configuration)
            .filesystem(files)
            .useUTCTimestamp(true)
            .convertToProlepticGregorian(true);
    return OrcFile.createReader(path, options);
  }

  /** Decimals as longs, which is the fastest that Java has. */
  private VectorizedRowBatch newBatch() {
    return schema.createRowBatch(TypeDescription.RowBatchVersion.USE_DECIMAL64, batchRows);
  }

  /** Of the whole process: also of the compiler and of the garbage collector. */
  private static double secondsSince(long before) {
    return (system.getProcessCpuTime() - before) / 1e9;
  }
}
