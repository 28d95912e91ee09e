import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.util.Random;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.Path;
import org.apache.orc.CompressionKind;
import org.apache.orc.OrcFile;
import org.apache.orc.TypeDescription;
import org.apache.orc.Writer;
import org.apache.orc.storage.common.type.HiveDecimal;
import org.apache.orc.storage.ql.exec.vector.BytesColumnVector;
import org.apache.orc.storage.ql.exec.vector.ColumnVector;
import org.apache.orc.storage.ql.exec.vector.DateColumnVector;
import org.apache.orc.storage.ql.exec.vector.DecimalColumnVector;
import org.apache.orc.storage.ql.exec.vector.DoubleColumnVector;
import org.apache.orc.storage.ql.exec.vector.ListColumnVector;
import org.apache.orc.storage.ql.exec.vector.LongColumnVector;
import org.apache.orc.storage.ql.exec.vector.MapColumnVector;
import org.apache.orc.storage.ql.exec.vector.StructColumnVector;
import org.apache.orc.storage.ql.exec.vector.TimestampColumnVector;
import org.apache.orc.storage.ql.exec.vector.VectorizedRowBatch;

/**
 * Writes a file of all types with ORC's own writer. Its name says how: parts joined by `-`, each
 * one of none, zlib, zstd; v011; speed; proleptic; direct; runs, sequence, random; nulls.
 */
final class SampleWriter {
  private static final String SCHEMA =
      "struct<a:boolean,b:tinyint,c:smallint,d:int,e:bigint,f:float,g:double,h:string,"
          + "i:varchar(7),j:char(5),k:binary,l:date,m:timestamp,"
          + "n:timestamp with local time zone,o:decimal(10,2),p:decimal(38,10),"
          + "q:array<string>,r:map<string,bigint>,s:struct<x:int,y:array<decimal(5,1)>>>";

  private static final int ROWS = 7000;

  private final Random random;
  private final String style;
  private final boolean hasNulls;

  private SampleWriter(String name) {
    random = new Random(name.hashCode());
    style = name.contains("runs") ? "runs" : name.contains("sequence") ? "sequence" : "random";
    hasNulls = name.contains("nulls");
  }

  static void write(String file, String name, Configuration base) throws Exception {
    Configuration configuration = new Configuration(base);
    if (name.contains("direct")) configuration.set("orc.dictionary.key.threshold", "0");
    configuration.set("orc.encoding.strategy", name.contains("speed") ? "SPEED" : "COMPRESSION");
    TypeDescription schema = TypeDescription.fromString(SCHEMA);
    CompressionKind codec =
        name.contains("zlib")
            ? CompressionKind.ZLIB
            : name.contains("zstd") ? CompressionKind.ZSTD : CompressionKind.NONE;
    OrcFile.WriterOptions options =
        OrcFile.writerOptions(configuration)
            .setSchema(schema)
            .compress(codec)
            .bufferSize(16 * 1024)
            .useUTCTimestamp(true)
            .setProlepticGregorian(name.contains("proleptic"))
            .version(name.contains("v011") ? OrcFile.Version.V_0_11 : OrcFile.Version.V_0_12)
            .overwrite(true);
    SampleWriter samples = new SampleWriter(name);
    try (Writer writer = OrcFile.createWriter(new Path(file), options)) {
      VectorizedRowBatch batch = schema.createRowBatch();
      for (int start = 0; start < ROWS; start += 1000) {
        batch.reset();
        for (int row = 0; row < 1000; row++) {
          for (int column = 0; column < batch.cols.length; column++) {
            TypeDescription type = schema.getChildren().get(column);
            samples.set(type, batch.cols[column], row, start + row);
          }
        }
        batch.size = 1000;
        writer.addRowBatch(batch);
        if (start == 3000) writer.writeIntermediateFooter();
      }
    }
  }

  private void set(TypeDescription type, ColumnVector vector, int at, int row) {
    if (hasNulls && random.nextInt(6) == 0) {
      vector.noNulls = false;
      vector.isNull[at] = true;
      return;
    }
    vector.isNull[at] = false;
    long number = number(row);
    switch (type.getCategory()) {
      case BOOLEAN -> ((LongColumnVector) vector).vector[at] = number & 1;
      case BYTE -> ((LongColumnVector) vector).vector[at] = (byte) number;
      case SHORT -> ((LongColumnVector) vector).vector[at] = (short) number;
      case INT -> ((LongColumnVector) vector).vector[at] = (int) number;
      case LONG -> ((LongColumnVector) vector).vector[at] = number;
      case DATE -> {
        DateColumnVector dates = (DateColumnVector) vector;
        dates.changeCalendar(true, false);
        // From year 1 to 9999.
        dates.vector[at] = Math.floorMod(number, 3_652_058L) - 719_162L;
      }
      case FLOAT, DOUBLE -> ((DoubleColumnVector) vector).vector[at] = number / 7.0;
      case STRING, VARCHAR, CHAR -> setText((BytesColumnVector) vector, type, at, number);
      case BINARY -> {
        byte[] bytes = new byte[(int) Math.floorMod(number, 20L)];
        random.nextBytes(bytes);
        ((BytesColumnVector) vector).setVal(at, bytes);
      }
      case TIMESTAMP, TIMESTAMP_INSTANT -> {
        TimestampColumnVector times = (TimestampColumnVector) vector;
        times.setIsUTC(true);
        times.changeCalendar(true, false);
        long seconds = Math.floorMod(number, 315_537_897_600L) - 62_135_596_800L;
        int nanos = row % 3 == 0 ? 0 : (int) Math.floorMod(number * 1000, 1_000_000_000L);
        times.time[at] = seconds * 1000 + nanos / 1_000_000;
        times.nanos[at] = nanos;
      }
      case DECIMAL -> {
        int digits = Math.min(type.getPrecision() - 1, 18);
        BigInteger unscaled = BigInteger.valueOf(number % (long) Math.pow(10, digits));
        HiveDecimal value = HiveDecimal.create(unscaled, type.getScale());
        ((DecimalColumnVector) vector).set(at, value);
      }
      case LIST -> setList(type, (ListColumnVector) vector, at, row);
      case MAP -> setMap(type, (MapColumnVector) vector, at, row);
      case STRUCT -> {
        for (int field = 0; field < type.getChildren().size(); field++) {
          set(type.getChildren().get(field), ((StructColumnVector) vector).fields[field], at, row);
        }
      }
      default -> throw new IllegalArgumentException(type.toString());
    }
  }

  /**
   * Runs of up to 20 equal values; a rising sequence; or mostly small values with some of all
   * sizes.
   */
  private long number(int row) {
    return switch (style) {
      case "runs" -> (row / (1 + row / 50 % 20)) * 1_000_003L;
      case "sequence" -> 1L << (row % 50 == 0 ? 62 : 40) | row;
      default -> random.nextInt(10) == 0
          ? random.nextLong() >> random.nextInt(64)
          : random.nextInt(1000);
    };
  }

  private void setText(BytesColumnVector vector, TypeDescription type, int at, long number) {
    String[] words = {"", "forager", "Zürich", "東京", "🦊", "a\u0000b"};
    String text = words[(int) Math.floorMod(number, (long) words.length)] + number % 5000;
    vector.setVal(at, text.getBytes(StandardCharsets.UTF_8));
  }

  private void setList(TypeDescription type, ListColumnVector list, int at, int row) {
    list.offsets[at] = list.childCount;
    list.lengths[at] = row % 4;
    list.childCount += row % 4;
    list.child.ensureSize(list.childCount, true);
    for (int k = 0; k < row % 4; k++) {
      set(type.getChildren().get(0), list.child, (int) list.offsets[at] + k, row + k);
    }
  }

  private void setMap(TypeDescription type, MapColumnVector map, int at, int row) {
    map.offsets[at] = map.childCount;
    map.lengths[at] = row % 3;
    map.childCount += row % 3;
    map.keys.ensureSize(map.childCount, true);
    map.values.ensureSize(map.childCount, true);
    for (int k = 0; k < row % 3; k++) {
      int slot = (int) map.offsets[at] + k;
      map.keys.isNull[slot] = false;
      ((BytesColumnVector) map.keys).setVal(slot, ("k" + k).getBytes(StandardCharsets.UTF_8));
      set(type.getChildren().get(1), map.values, slot, row + k);
    }
  }
}
