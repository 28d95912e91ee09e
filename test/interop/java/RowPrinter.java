import java.math.BigDecimal;
import java.time.LocalDate;
import java.time.LocalDateTime;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.Base64;
import java.util.HexFormat;
import java.util.StringJoiner;
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
import org.apache.orc.storage.ql.exec.vector.UnionColumnVector;
import org.apache.orc.storage.ql.exec.vector.VectorizedRowBatch;

/**
 * Values as text that is equal exactly when the values are: integers in full, floating-point
 * numbers as their bits, decimals in plain notation at the scale of the column, texts and bytes in
 * base 64, timestamps with nine digits, dates in the proleptic calendar, unions as `<tag:value>`. A
 * row whose root is not a struct is printed as if it had one field. `row-text.ts` prints the same.
 */
final class RowPrinter {
  private static final HexFormat HEX = HexFormat.of();
  private static final DateTimeFormatter TIME =
      DateTimeFormatter.ofPattern("uuuu-MM-dd'T'HH:mm:ss.nnnnnnnnn");

  private RowPrinter() {}

  static String row(TypeDescription schema, VectorizedRowBatch batch, int row) {
    StringBuilder text = new StringBuilder("[");
    boolean isStruct = schema.getCategory() == TypeDescription.Category.STRUCT;
    for (int column = 0; column < batch.cols.length; column++) {
      if (column > 0) text.append(',');
      TypeDescription type = isStruct ? schema.getChildren().get(column) : schema;
      value(type, batch.cols[column], row, text);
    }
    return text.append(']').toString();
  }

  static String text(TypeDescription type, ColumnVector vector, int row) {
    StringBuilder text = new StringBuilder();
    value(type, vector, row, text);
    return text.toString();
  }

  private static void value(TypeDescription type, ColumnVector vector, int row, StringBuilder text) {
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
        text.append(HEX.toHexDigits(Float.floatToIntBits(number)));
      }
      case DOUBLE -> {
        double number = ((DoubleColumnVector) vector).vector[at];
        text.append(HEX.toHexDigits(Double.doubleToLongBits(number)));
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
        ColumnVector[] fields = ((StructColumnVector) vector).fields;
        StringJoiner values = new StringJoiner(",", "[", "]");
        for (int field = 0; field < fields.length; field++) {
          values.add(text(type.getChildren().get(field), fields[field], at));
        }
        text.append(values);
      }
      case LIST -> {
        ListColumnVector list = (ListColumnVector) vector;
        StringJoiner values = new StringJoiner(",", "[", "]");
        for (int k = 0; k < list.lengths[at]; k++) {
          values.add(text(type.getChildren().get(0), list.child, (int) list.offsets[at] + k));
        }
        text.append(values);
      }
      case MAP -> {
        MapColumnVector map = (MapColumnVector) vector;
        StringJoiner entries = new StringJoiner(",", "[", "]");
        for (int k = 0; k < map.lengths[at]; k++) {
          int slot = (int) map.offsets[at] + k;
          String key = text(type.getChildren().get(0), map.keys, slot);
          entries.add("[" + key + "," + text(type.getChildren().get(1), map.values, slot) + "]");
        }
        text.append(entries);
      }
      case UNION -> {
        UnionColumnVector union = (UnionColumnVector) vector;
        int tag = union.tags[at];
        String value = text(type.getChildren().get(tag), union.fields[tag], at);
        text.append('<').append(tag).append(':').append(value).append('>');
      }
      default -> throw new IllegalArgumentException(type.toString());
    }
  }

  static String time(long seconds, int nanos) {
    return TIME.format(LocalDateTime.ofEpochSecond(seconds, nanos, ZoneOffset.UTC));
  }
}
