import java.io.PrintStream;
import java.sql.Date;
import java.sql.Timestamp;
import java.time.LocalDate;
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
 * Looks in the column `v` of a file for the value that the first row of another file has there:
 * once by reading all rows, and once with a predicate, which lets the reader skip row groups by
 * their statistics and bloom filters. Prints how many rows were read and how many of them equal the
 * value, without and with the predicate.
 */
final class PredicateReader {
  private PredicateReader() {}

  static void print(Reader reader, Reader wanted, PrintStream out) throws Exception {
    TypeDescription schema = wanted.getSchema();
    TypeDescription type = schema.getChildren().get(0);
    VectorizedRowBatch batch = schema.createRowBatch();
    try (RecordReader rows = wanted.rows()) {
      rows.nextBatch(batch);
    }
    String text = RowPrinter.text(type, batch.cols[0], 0);
    SearchArgument equal = equals(type, batch.cols[0]);
    out.println(count(reader, reader.options(), text));
    out.println(
        count(reader, reader.options().searchArgument(equal, new String[] {null, "v"}), text));
  }

  private static String count(Reader reader, Reader.Options options, String wanted)
      throws Exception {
    try (RecordReader rows = reader.rows(options)) {
      String row = "[" + wanted + "]";
      List<String> all = OrcInterop.rows(reader.getSchema(), rows);
      return all.size() + " " + all.stream().filter(row::equals).count();
    }
  }

  private static SearchArgument equals(TypeDescription type, ColumnVector vector) {
    return switch (type.getCategory()) {
      case BOOLEAN -> leaf(
          PredicateLeaf.Type.BOOLEAN, ((LongColumnVector) vector).vector[0] != 0);
      case BYTE, SHORT, INT, LONG -> leaf(
          PredicateLeaf.Type.LONG, ((LongColumnVector) vector).vector[0]);
      case FLOAT, DOUBLE -> leaf(
          PredicateLeaf.Type.FLOAT, ((DoubleColumnVector) vector).vector[0]);
      case STRING, VARCHAR -> leaf(
          PredicateLeaf.Type.STRING, ((BytesColumnVector) vector).toString(0));
      // As Hive does it: literals for a column of char are padded.
      case CHAR -> {
        String text = ((BytesColumnVector) vector).toString(0);
        int missing = type.getMaxLength() - text.codePointCount(0, text.length());
        yield leaf(PredicateLeaf.Type.STRING, text + " ".repeat(missing));
      }
      case DATE -> leaf(
          PredicateLeaf.Type.DATE,
          Date.valueOf(LocalDate.ofEpochDay(((LongColumnVector) vector).vector[0])));
      case DECIMAL -> leaf(
          PredicateLeaf.Type.DECIMAL,
          new HiveDecimalWritable(
              HiveDecimal.create(
                  ((DecimalColumnVector) vector).vector[0].getHiveDecimal().bigDecimalValue())));
      case TIMESTAMP, TIMESTAMP_INSTANT -> {
        TimestampColumnVector times = (TimestampColumnVector) vector;
        Timestamp time = new Timestamp(times.time[0]);
        time.setNanos(times.nanos[0]);
        yield leaf(PredicateLeaf.Type.TIMESTAMP, time);
      }
      default -> throw new IllegalArgumentException(type.toString());
    };
  }

  private static SearchArgument leaf(PredicateLeaf.Type type, Object literal) {
    return SearchArgumentFactory.newBuilder().startAnd().equals("v", type, literal).end().build();
  }
}
