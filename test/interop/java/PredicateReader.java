import java.io.PrintStream;
import java.sql.Date;
import java.sql.Timestamp;
import java.time.LocalDate;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
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
 * Looks in the column `v` of a file for each of the values that another file has there, with a
 * predicate, which lets the reader skip row groups by their statistics and bloom filters. Prints
 * for each value how many rows equal it, how many were read, and how many of those equal it.
 */
final class PredicateReader {
  private PredicateReader() {}

  static void print(Reader reader, Reader wanted, PrintStream out) throws Exception {
    Map<String, Long> counts =
        rows(reader, reader.options()).stream()
            .collect(Collectors.groupingBy(row -> row, Collectors.counting()));
    TypeDescription schema = wanted.getSchema();
    TypeDescription type = schema.getChildren().get(0);
    VectorizedRowBatch batch = schema.createRowBatch();
    try (RecordReader values = wanted.rows()) {
      while (values.nextBatch(batch)) {
        for (int row = 0; row < batch.size; row++) {
          String line = RowPrinter.row(schema, batch, row);
          SearchArgument equal = equals(type, batch.cols[0], row);
          Reader.Options options = reader.options().searchArgument(equal, new String[] {null, "v"});
          List<String> read = rows(reader, options);
          long matching = read.stream().filter(line::equals).count();
          out.println(counts.getOrDefault(line, 0L) + " " + read.size() + " " + matching);
        }
      }
    }
  }

  private static List<String> rows(Reader reader, Reader.Options options) throws Exception {
    try (RecordReader rows = reader.rows(options)) {
      return OrcInterop.rows(reader.getSchema(), rows);
    }
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
      case CHAR -> {
        String text = ((BytesColumnVector) vector).toString(row);
        int missing = type.getMaxLength() - text.codePointCount(0, text.length());
        yield leaf(PredicateLeaf.Type.STRING, text + " ".repeat(missing));
      }
      case DATE -> leaf(
          PredicateLeaf.Type.DATE,
          Date.valueOf(LocalDate.ofEpochDay(((LongColumnVector) vector).vector[at])));
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
