import java.io.PrintStream;
import java.sql.Date;
import java.sql.Timestamp;
import java.util.Collections;
import java.util.List;
import org.apache.orc.Reader;
import org.apache.orc.RecordReader;
import org.apache.orc.TypeDescription;
import org.apache.orc.storage.common.type.HiveDecimal;
import org.apache.orc.storage.ql.exec.vector.BytesColumnVector;
import org.apache.orc.storage.ql.exec.vector.ColumnVector;
import org.apache.orc.storage.ql.exec.vector.DecimalColumnVector;
import org.apache.orc.storage.ql.exec.vector.DoubleColumnVector;
import org.apache.orc.storage.ql.exec.vector.LongColumnVector;
import org.apache.orc.storage.ql.exec.vector.TimestampColumnVector;
import org.apache.orc.storage.ql.exec.vector.VectorizedRowBatch;
import org.apache.orc.storage.ql.io.sarg.PredicateLeaf;
import org.apache.orc.storage.ql.io.sarg.SearchArgument;
import org.apache.orc.storage.ql.io.sarg.SearchArgumentFactory;
import org.apache.orc.storage.serde2.io.HiveDecimalWritable;

/**
 * Looks for the value of the first row whose second column, `wanted`, is true: once by reading all
 * rows, and once with a predicate, which lets the reader skip row groups by their statistics.
 * Prints how many rows were read and how many of them equal the value, without and with the
 * predicate.
 */
final class PredicateReader {
  private PredicateReader() {}

  static void print(Reader reader, PrintStream out) throws Exception {
    TypeDescription schema = reader.getSchema();
    TypeDescription type = schema.getChildren().get(0);
    SearchArgument equal = null;
    String wanted = null;
    VectorizedRowBatch batch = schema.createRowBatch();
    try (RecordReader rows = reader.rows()) {
      while (wanted == null && rows.nextBatch(batch)) {
        LongColumnVector marks = (LongColumnVector) batch.cols[1];
        for (int row = 0; wanted == null && row < batch.size; row++) {
          if (marks.vector[marks.isRepeating ? 0 : row] == 0) continue;
          wanted = text(type, batch.cols[0], row);
          equal = equals(type, batch.cols[0], row);
        }
      }
    }
    out.println(count(reader, schema, reader.options(), wanted));
    Reader.Options options = reader.options().searchArgument(equal, new String[] {null, "v"});
    out.println(count(reader, schema, options, wanted));
  }

  private static String count(
      Reader reader, TypeDescription schema, Reader.Options options, String wanted)
      throws Exception {
    try (RecordReader rows = reader.rows(options)) {
      String start = "[" + wanted + ",";
      List<String> all = OrcInterop.rows(schema, rows);
      return all.size() + " " + all.stream().filter(row -> row.startsWith(start)).count();
    }
  }

  private static String text(TypeDescription type, ColumnVector vector, int row) {
    StringBuilder text = new StringBuilder();
    RowPrinter.value(type, vector, row, text);
    return text.toString();
  }

  private static SearchArgument equals(TypeDescription type, ColumnVector vector, int row) {
    int at = vector.isRepeating ? 0 : row;
    return switch (type.getCategory()) {
      case BOOLEAN -> leaf(
          PredicateLeaf.Type.BOOLEAN, ((LongColumnVector) vector).vector[at] != 0);
      case BYTE, SHORT, INT, LONG -> leaf(
          PredicateLeaf.Type.LONG, ((LongColumnVector) vector).vector[at]);
      case FLOAT, DOUBLE -> leaf(
          PredicateLeaf.Type.FLOAT, ((DoubleColumnVector) vector).vector[at]);
      case STRING, VARCHAR -> leaf(
          PredicateLeaf.Type.STRING, ((BytesColumnVector) vector).toString(row));
      // As Hive does it: literals for a column of char are padded.
      case CHAR -> leaf(
          PredicateLeaf.Type.STRING,
          ((BytesColumnVector) vector).toString(row)
              + String.join("", Collections.nCopies(
                  type.getMaxLength() - ((BytesColumnVector) vector).toString(row).length(), " ")));
      case DATE -> leaf(
          PredicateLeaf.Type.DATE,
          Date.valueOf(java.time.LocalDate.ofEpochDay(((LongColumnVector) vector).vector[at])));
      case DECIMAL -> leaf(
          PredicateLeaf.Type.DECIMAL,
          new HiveDecimalWritable(
              HiveDecimal.create(
                  ((DecimalColumnVector) vector).vector[at].getHiveDecimal().bigDecimalValue())));
      case TIMESTAMP, TIMESTAMP_INSTANT -> {
        TimestampColumnVector times = (TimestampColumnVector) vector;
        Timestamp time = new Timestamp(times.time[at]);
        time.setNanos(times.nanos[at]);
        yield leaf(PredicateLeaf.Type.TIMESTAMP, time);
      }
      default -> throw new IllegalArgumentException(type.toString());
    };
  }

  private static SearchArgument leaf(PredicateLeaf.Type type, Object literal) {
    return SearchArgumentFactory.newBuilder().startAnd().equals("v", type, literal).end().build();
  }
}
