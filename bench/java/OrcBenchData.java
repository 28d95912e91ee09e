import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.apache.orc.TypeDescription;
import org.apache.orc.storage.ql.exec.vector.BytesColumnVector;
import org.apache.orc.storage.ql.exec.vector.ColumnVector;
import org.apache.orc.storage.ql.exec.vector.DoubleColumnVector;
import org.apache.orc.storage.ql.exec.vector.LongColumnVector;
import org.apache.orc.storage.ql.exec.vector.TimestampColumnVector;
import org.apache.orc.storage.ql.exec.vector.VectorizedRowBatch;

/** The data of the ORC benchmark and its checksum: what {@code ../orc/data.ts} makes, again. */
final class OrcBenchData {
  private static final int kinds = 8;
  private static final double nullShare = 0.2;

  private OrcBenchData() {}

  static List<VectorizedRowBatch> batches(
      TypeDescription schema, boolean hasNulls, int rowCount, int batchRows) {
    int columns = schema.getChildren().size();
    List<Group> groups = new ArrayList<>();
    for (int index = 0; index * kinds < columns; index++) groups.add(new Group(index, hasNulls));
    List<VectorizedRowBatch> batches = new ArrayList<>();
    for (int first = 0; first < rowCount; first += batchRows) {
      VectorizedRowBatch batch =
          schema.createRowBatch(
              TypeDescription.RowBatchVersion.USE_DECIMAL64,
              Math.min(batchRows, rowCount - first));
      batch.size = Math.min(batchRows, rowCount - first);
      for (Group group : groups) group.fill(batch, first);
      batches.add(batch);
    }
    return batches;
  }

  /** Mulberry32. */
  private static final class Random {
    private int state;

    Random(int seed) {
      state = seed;
    }

    double next() {
      state += 0x6d2b79f5;
      int mixed = (state ^ (state >>> 15)) * (1 | state);
      mixed = (mixed + (mixed ^ (mixed >>> 7)) * (61 | mixed)) ^ mixed;
      return Integer.toUnsignedLong(mixed ^ (mixed >>> 14)) / 4294967296.0;
    }

    long below(long end) {
      return (long) Math.floor(next() * end);
    }
  }

  /** Eight columns, or the first of them where the schema has no more. */
  private static final class Group {
    private final int index;
    private final Random random;
    private final Random nulls;

    Group(int index, boolean hasNulls) {
      this.index = index;
      random = new Random(1 + index);
      nulls = hasNulls ? new Random(1001 + index) : null;
    }

    void fill(VectorizedRowBatch batch, int firstRow) {
      Texts countries = new Texts(batch.size);
      Texts references = new Texts(batch.size);
      for (int k = 0; k < batch.size; k++) {
        int row = firstRow + k;
        setLong(batch, 0, k, row + random.below(3));
        setLong(batch, 1, k, random.below(10_000));
        setLong(batch, 2, k, random.below(1_000_000));
        countries.set(vector(batch, 3), k, "country-" + random.below(200));
        references.set(vector(batch, 4), k, "ref-" + Long.toString(random.below(1L << 40), 36));
        long nanos = random.below(1_000_000) * 1000;
        if (vector(batch, 5) instanceof TimestampColumnVector times) {
          times.time[k] = (1_700_000_000L + row) * 1000 + nanos / 1_000_000;
          times.nanos[k] = (int) nanos;
        }
        double weight = random.next() * 100;
        if (vector(batch, 6) instanceof DoubleColumnVector doubles) doubles.vector[k] = weight;
        setLong(batch, 7, k, random.next() < 0.5 ? 1 : 0);
      }
      if (nulls != null) fillNulls(batch);
    }

    private void fillNulls(VectorizedRowBatch batch) {
      for (int k = 0; k < batch.size; k++) {
        for (int kind = 0; kind < kinds; kind++) {
          boolean isNull = nulls.next() < nullShare;
          ColumnVector vector = vector(batch, kind);
          if (!isNull || vector == null) continue;
          vector.noNulls = false;
          vector.isNull[k] = true;
        }
      }
    }

    private ColumnVector vector(VectorizedRowBatch batch, int kind) {
      int column = index * kinds + kind;
      return column < batch.cols.length ? batch.cols[column] : null;
    }

    private void setLong(VectorizedRowBatch batch, int kind, int row, long value) {
      if (vector(batch, kind) instanceof LongColumnVector longs) longs.vector[row] = value;
    }
  }

  /** The texts of a batch one behind the other in one array; none is longer than 12 bytes. */
  private static final class Texts {
    private final byte[] bytes;
    private int end;

    Texts(int count) {
      bytes = new byte[12 * count];
    }

    void set(ColumnVector vector, int row, String text) {
      if (!(vector instanceof BytesColumnVector texts)) return;
      byte[] encoded = text.getBytes(StandardCharsets.US_ASCII);
      System.arraycopy(encoded, 0, bytes, end, encoded.length);
      texts.setRef(row, bytes, end, encoded.length);
      end += encoded.length;
    }
  }

  /** Over all values in order; {@code ../orc/checksum.ts} has the same. */
  static final class Checksum {
    private static final int hashOfNull = 0x5bd1e995;
    private final TypeDescription schema;
    private final int[] columns;

    Checksum(TypeDescription schema) {
      this.schema = schema;
      columns = new int[schema.getChildren().size()];
    }

    @Override
    public String toString() {
      int all = 0;
      for (int column : columns) all = all * 31 + column;
      return String.format("%08x", all);
    }

    void add(VectorizedRowBatch batch) {
      for (int column = 0; column < columns.length; column++) {
        ColumnVector vector = batch.cols[column];
        TypeDescription.Category type = schema.getChildren().get(column).getCategory();
        int sum = columns[column];
        for (int row = 0; row < batch.size; row++) {
          int at = vector.isRepeating ? 0 : row;
          boolean isNull = !vector.noNulls && vector.isNull[at];
          sum = sum * 31 + (isNull ? hashOfNull : hash(type, vector, at));
        }
        columns[column] = sum;
      }
    }

    private static int hash(TypeDescription.Category type, ColumnVector vector, int at) {
      return switch (type) {
        case BOOLEAN, INT -> (int) ((LongColumnVector) vector).vector[at];
        case LONG, DECIMAL -> hashOfLong(((LongColumnVector) vector).vector[at]);
        case DOUBLE ->
            hashOfLong(Double.doubleToRawLongBits(((DoubleColumnVector) vector).vector[at]));
        case STRING -> {
          BytesColumnVector texts = (BytesColumnVector) vector;
          int hash = 0;
          for (int k = texts.start[at]; k < texts.start[at] + texts.length[at]; k++) {
            hash = hash * 31 + (texts.vector[at][k] & 0xff);
          }
          yield hash;
        }
        case TIMESTAMP -> {
          TimestampColumnVector times = (TimestampColumnVector) vector;
          yield hashOfLong(Math.floorDiv(times.time[at], 1000L)) * 31 + times.nanos[at];
        }
        default -> throw new IllegalArgumentException(type.toString());
      };
    }

    /** Of the low and the high half. */
    private static int hashOfLong(long value) {
      return (int) value * 31 + (int) (value >> 32);
    }
  }
}
