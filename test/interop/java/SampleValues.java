import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.List;
import java.util.Random;
import java.util.TimeZone;
import org.apache.orc.TypeDescription;
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
import org.apache.orc.storage.ql.exec.vector.UnionColumnVector;

/** Values of any type that depend on the name of the file only; see SampleWriter. */
final class SampleValues {
  private final Random random;
  private final String style;
  private final boolean hasNulls;
  private final boolean isUtc;
  /** The times that are written one after the other; null for times all over the calendar. */
  private final List<Instant> times;

  SampleValues(String name, List<String> parts, boolean isUtc) {
    random = new Random(name.hashCode());
    style = parts.contains("runs") ? "runs" : parts.contains("sequence") ? "sequence" : "random";
    hasNulls = parts.contains("nulls");
    this.isUtc = isUtc;
    times = parts.contains("clock") ? ClockTimes.of(TimeZone.getDefault().toZoneId()) : null;
  }

  void set(TypeDescription type, ColumnVector vector, int at, int row) {
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
      case TIMESTAMP, TIMESTAMP_INSTANT -> setTime((TimestampColumnVector) vector, at, row);
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
      case UNION -> {
        UnionColumnVector union = (UnionColumnVector) vector;
        int tag = (int) Math.floorMod(number, (long) union.fields.length);
        union.tags[at] = tag;
        set(type.getChildren().get(tag), union.fields[tag], at, row);
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

  private void setTime(TimestampColumnVector vector, int at, int row) {
    Instant time = times == null ? anyTime(row) : times.get(row % times.size());
    vector.setIsUTC(isUtc);
    vector.changeCalendar(true, false);
    vector.time[at] = time.toEpochMilli();
    vector.nanos[at] = time.getNano();
  }

  /** From year 1 to 9999 in any time zone, some with whole seconds. */
  private Instant anyTime(int row) {
    long number = number(row);
    long seconds = Math.floorMod(number, 315_537_724_800L) - 62_135_510_400L;
    return Instant.ofEpochSecond(
        seconds, row % 3 == 0 ? 0 : Math.floorMod(number * 1000, 1_000_000_000L));
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
