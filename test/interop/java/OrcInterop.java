import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import org.apache.hadoop.conf.Configuration;
import org.apache.orc.CompressionKind;
import org.apache.orc.OrcFile;
import org.apache.orc.Reader;
import org.apache.orc.RecordReader;
import org.apache.orc.StripeInformation;
import org.apache.orc.TypeDescription;
import org.apache.orc.Writer;
import org.apache.orc.storage.ql.exec.vector.VectorizedRowBatch;

/**
 * Runs a list of commands in one virtual machine; the first argument is the file that has them, one
 * a line, fields separated by tabs:
 *
 * <pre>
 *   rows        FILE OUT       the rows of an ORC file, one a line
 *   digest      FILE OUT       how many rows it has, and the SHA-256 of those lines
 *   seek        FILE OUT       the first row of every row group, reached through the row index
 *   stats       FILE OUT       its statistics
 *   copy        FILE ORC       the same rows, stripes and row groups by ORC's own writer
 *   copy-bloom  FILE ORC       the same with bloom filters on all fields
 *   find        FILE FILE OUT  how many rows equal each value of the second file, and are read with
 *                              a predicate for it
 *   write       NAME ORC       a sample file by ORC's own writer
 * </pre>
 */
public final class OrcInterop {
  private static final Configuration configuration = new Configuration();

  private OrcInterop() {}

  public static void main(String[] arguments) throws Exception {
    for (String line : Files.readAllLines(Path.of(arguments[0]))) {
      String[] fields = line.split("\t");
      String output = fields[fields.length - 1];
      switch (fields[0]) {
        case "copy", "copy-bloom" -> copy(fields[1], output, fields[0].endsWith("bloom"));
        case "write" -> SampleWriter.write(output, fields[1], configuration);
        default -> {
          try (PrintStream out = new PrintStream(output, StandardCharsets.UTF_8)) {
            print(fields, out);
          }
        }
      }
    }
  }

  private static void print(String[] fields, PrintStream out) {
    try (Reader reader = open(fields[1])) {
      switch (fields[0]) {
        case "rows" -> allRows(reader).forEach(out::println);
        case "digest" -> printDigest(allRows(reader), out);
        case "seek" -> printGroupStarts(reader, out);
        case "stats" -> {
          try (RecordReader rows = reader.rows()) {
            StatisticsPrinter.print(reader, rows).forEach(out::println);
          }
        }
        case "find" -> {
          try (Reader wanted = open(fields[2])) {
            PredicateReader.print(reader, wanted, out);
          }
        }
        default -> throw new IllegalArgumentException(fields[0]);
      }
    } catch (Exception error) {
      out.println("error " + error);
      error.printStackTrace(out);
    }
  }

  static Reader open(String file) throws Exception {
    OrcFile.ReaderOptions options =
        OrcFile.readerOptions(configuration)
            .useUTCTimestamp(true)
            .convertToProlepticGregorian(true);
    return OrcFile.createReader(new org.apache.hadoop.fs.Path(file), options);
  }

  private static List<String> allRows(Reader reader) throws Exception {
    try (RecordReader rows = reader.rows()) {
      return rows(reader.getSchema(), rows);
    }
  }

  private static void printDigest(List<String> rows, PrintStream out) throws Exception {
    MessageDigest digest = MessageDigest.getInstance("SHA-256");
    for (String row : rows) digest.update((row + "\n").getBytes(StandardCharsets.UTF_8));
    out.println(rows.size() + " " + HexFormat.of().formatHex(digest.digest()));
  }

  static List<String> rows(TypeDescription schema, RecordReader rows) throws Exception {
    List<String> lines = new ArrayList<>();
    VectorizedRowBatch batch = schema.createRowBatch();
    while (rows.nextBatch(batch)) {
      for (int row = 0; row < batch.size; row++) lines.add(RowPrinter.row(schema, batch, row));
    }
    return lines;
  }

  private static void printGroupStarts(Reader reader, PrintStream out) throws Exception {
    VectorizedRowBatch batch = reader.getSchema().createRowBatch(1);
    List<Long> starts = new ArrayList<>();
    long stripeStart = 0;
    for (StripeInformation stripe : reader.getStripes()) {
      long end = stripeStart + stripe.getNumberOfRows();
      int stride = Math.max(reader.getRowIndexStride(), 1);
      for (long row = stripeStart; row < end; row += stride) starts.add(row);
      stripeStart = end;
    }
    try (RecordReader rows = reader.rows()) {
      // From the last to the first, so that no group is reached by reading on.
      for (int k = starts.size() - 1; k >= 0; k--) {
        rows.seekToRow(starts.get(k));
        rows.nextBatch(batch);
        out.println(starts.get(k) + " " + RowPrinter.row(reader.getSchema(), batch, 0));
      }
    }
  }

  private static void copy(String file, String target, boolean hasBloomFilters)
      throws Exception {
    try (Reader reader = open(file)) {
      TypeDescription schema = reader.getSchema();
      OrcFile.WriterOptions options =
          OrcFile.writerOptions(configuration)
              .setSchema(schema)
              .compress(CompressionKind.NONE)
              .useUTCTimestamp(true)
              .setProlepticGregorian(true)
              .overwrite(true)
              // Shorter strides are refused, and without any the statistics are left out.
              .rowIndexStride(Math.max(1000, reader.getRowIndexStride()));
      if (hasBloomFilters) options.bloomFilterColumns(String.join(",", schema.getFieldNames()));
      try (Writer writer =
              OrcFile.createWriter(new org.apache.hadoop.fs.Path(target), options);
          RecordReader rows = reader.rows()) {
        List<StripeInformation> stripes = reader.getStripes();
        int stripe = 0;
        long left = stripes.isEmpty() ? 0 : stripes.get(0).getNumberOfRows();
        VectorizedRowBatch batch = schema.createRowBatch();
        // Batches do not cross stripes.
        while (rows.nextBatch(batch)) {
          writer.addRowBatch(batch);
          left -= batch.size;
          if (left == 0 && ++stripe < stripes.size()) {
            writer.writeIntermediateFooter();
            left = stripes.get(stripe).getNumberOfRows();
          }
        }
      }
    }
  }
}
