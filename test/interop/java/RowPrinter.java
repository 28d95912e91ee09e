import java.math.BigDecimal;
import java.time.LocalDate;
import java.time.LocalDateTime;
import java.time.ZoneOffset;
import java.util.Base64;
import org.apache.orc.TypeDescription;
import org.apache.orc.storage.ql.exec.vector.BytesColumnVector;
import org.apache.orc.storage.ql.exec.vector.ColumnVector;
import org.apache.orc.storage.ql.exec.vector.DecimalColumnVector;
import org.apache.orc.storage.ql.exec.vector.DoubleColumnVector;
import org.apache.orc.storage.ql.exec.vector.ListColumnVector;
import org.apache.orc.storage.ql.exec.vector.LongColumnVector;
import org.apache.orc.storage.ql.exec.vector.MapColumnVector;
import org.apache.orc.storage.ql.exec.vector.StructColumnVector;
import org.apache.orc.storage.ql.exec.vector.TimestampColumnVector;
import org.apache.orc.storage.ql.exec.vector.VectorizedRowBatch;

/**
 * Values as text that is equal exactly when the values are: integers in full, floating-point
 * numbers as their bits, decimals in plain notation at the scale of the column, texts and bytes in
 * base 64, timestamps with nine digits, dates in the proleptic calendar. `row-text.ts` prints the
 * same.
 */
final class RowPrinter {
  private RowPrinter() {}

  static String row(TypeDescription schema, VectorizedRowBatch batch, int row) {
    StringBuilder text = new StringBuilder("[");
    for (int column = 0; column < batch.cols.length; column++) {
      if (column > 0) text.append(',');
      value(schema.getChildren().get(column), batch.cols[column], row, text);
    }
    return text.append(']').toString();
  }

  static void value(TypeDescription type, ColumnVector vector, int row, StringBuilder text) {
    int at = vector.isRepeating ? 0 : row;
    if (!vector.noNulls && vector.isNull[at]) {
      text.append("null");
      return;
    }
    switch (type.getCategory()) {
      case BOOLEAN -> text.append(((LongColumnVector) vector).vector[at] != 0);
      case BYTE, SHORT, INT, LONG -> text.append(((LongColumnVector) vector).vector[at]);
      case DATE -> text.append(LocalDate.ofEpochDay(((LongColumnVector) vector).vector[at]));
      case FLOAT -> {
        float number = (float) ((DoubleColumnVector) vector).vector[at];
        text.append(String.format("%08x", Float.floatToIntBits(number)));
      }
      case DOUBLE -> {
        double number = ((DoubleColumnVector) vector).vector[at];
        text.append(String.format("%016x", Double.doubleToLongBits(number)));
      }
      case STRING, VARCHAR, CHAR, BINARY -> {
        BytesColumnVector bytes = (BytesColumnVector) vector;
        byte[] copy = new byte[bytes.length[at]];
        System.arraycopy(bytes.vector[at], bytes.start[at], copy, 0, copy.length);
        text.append('"').append(Base64.getEncoder().encodeToString(copy)).append('"');
      }
      case DECIMAL -> {
        BigDecimal number =
            ((DecimalColumnVector) vector).vector[at].getHiveDecimal().bigDecimalValue();
        text.append(number.setScale(type.getScale()).toPlainString());
      }
      case TIMESTAMP, TIMESTAMP_INSTANT -> {
        TimestampColumnVector times = (TimestampColumnVector) vector;
        text.append(time(Math.floorDiv(times.time[at], 1000L), times.nanos[at]));
      }
      case STRUCT -> {
        text.append('[');
        StructColumnVector struct = (StructColumnVector) vector;
        for (int field = 0; field < struct.fields.length; field++) {
          if (field > 0) text.append(',');
          value(type.getChildren().get(field), struct.fields[field], at, text);
        }
        text.append(']');
      }
      case LIST -> {
        text.append('[');
        ListColumnVector list = (ListColumnVector) vector;
        for (int k = 0; k < list.lengths[at]; k++) {
          if (k > 0) text.append(',');
          value(type.getChildren().get(0), list.child, (int) list.offsets[at] + k, text);
        }
        text.append(']');
      }
      case MAP -> {
        text.append('[');
        MapColumnVector map = (MapColumnVector) vector;
        for (int k = 0; k < map.lengths[at]; k++) {
          if (k > 0) text.append(',');
          text.append('[');
          value(type.getChildren().get(0), map.keys, (int) map.offsets[at] + k, text);
          text.append(',');
          value(type.getChildren().get(1), map.values, (int) map.offsets[at] + k, text);
          text.append(']');
        }
        text.append(']');
      }
      default -> throw new IllegalArgumentException(type.toString());
    }
  }

  static String time(long seconds, int nanos) {
    LocalDateTime whole = LocalDateTime.ofEpochSecond(seconds, 0, ZoneOffset.UTC);
    return String.format(
        "%04d-%02d-%02dT%02d:%02d:%02d.%09d",
        whole.getYear(),
        whole.getMonthValue(),
        whole.getDayOfMonth(),
        whole.getHour(),
        whole.getMinute(),
        whole.getSecond(),
        nanos);
  }
}
