import java.math.BigDecimal;
import java.sql.Timestamp;
import java.util.ArrayList;
import java.util.List;
import org.apache.orc.BinaryColumnStatistics;
import org.apache.orc.BooleanColumnStatistics;
import org.apache.orc.CollectionColumnStatistics;
import org.apache.orc.ColumnStatistics;
import org.apache.orc.DateColumnStatistics;
import org.apache.orc.DecimalColumnStatistics;
import org.apache.orc.DoubleColumnStatistics;
import org.apache.orc.IntegerColumnStatistics;
import org.apache.orc.OrcProto;
import org.apache.orc.Reader;
import org.apache.orc.RecordReader;
import org.apache.orc.StringColumnStatistics;
import org.apache.orc.TimestampColumnStatistics;
import org.apache.orc.TypeDescription;
import org.apache.orc.impl.ColumnStatisticsImpl;
import org.apache.orc.impl.OrcIndex;
import org.apache.orc.impl.RecordReaderImpl;
import org.apache.orc.storage.common.type.HiveDecimal;

/** The statistics of a file, its stripes and its row groups, one line each. */
final class StatisticsPrinter {
  private StatisticsPrinter() {}

  static List<String> print(Reader reader, RecordReader rows) throws Exception {
    List<String> lines = new ArrayList<>();
    ColumnStatistics[] file = reader.getStatistics();
    for (int id = 0; id < file.length; id++) lines.add("file " + id + " " + text(file[id]));
    for (int stripe = 0; stripe < reader.getStripes().size(); stripe++) {
      ColumnStatistics[] columns =
          reader.getStripeStatistics().get(stripe).getColumnStatistics();
      for (int id = 0; id < columns.length; id++) {
        lines.add("stripe " + stripe + " " + id + " " + text(columns[id]));
      }
      if (reader.getRowIndexStride() > 0) printGroups(reader, rows, stripe, lines);
    }
    return lines;
  }

  private static void printGroups(
      Reader reader, RecordReader rows, int stripe, List<String> lines) throws Exception {
    TypeDescription schema = reader.getSchema();
    OrcIndex index = ((RecordReaderImpl) rows).readRowIndex(stripe, null, null);
    for (int id = 0; id <= schema.getMaximumId(); id++) {
      List<OrcProto.RowIndexEntry> entries = index.getRowGroupIndex()[id].getEntryList();
      for (int group = 0; group < entries.size(); group++) {
        ColumnStatistics statistics =
            ColumnStatisticsImpl.deserialize(
                schema.findSubtype(id), entries.get(group).getStatistics(), true, true);
        lines.add("group " + stripe + " " + id + " " + group + " " + text(statistics));
      }
    }
  }

  private static String text(ColumnStatistics statistics) {
    String start = statistics.getNumberOfValues() + " " + statistics.hasNull();
    return statistics.getNumberOfValues() == 0 ? start : start + details(statistics);
  }

  private static String details(ColumnStatistics statistics) {
    if (statistics instanceof IntegerColumnStatistics s) {
      return range(s.getMinimum(), s.getMaximum()) + (s.isSumDefined() ? " " + s.getSum() : "");
    } else if (statistics instanceof DoubleColumnStatistics s) {
      return range(s.getMinimum(), s.getMaximum()) + " " + s.getSum();
    } else if (statistics instanceof StringColumnStatistics s) {
      return s.getMinimum() == null || s.getMaximum() == null
          ? " bounds"
          : range(hex(s.getMinimum()), hex(s.getMaximum())) + " " + s.getSum();
    } else if (statistics instanceof BooleanColumnStatistics s) {
      return " " + s.getTrueCount();
    } else if (statistics instanceof DecimalColumnStatistics s) {
      String sum = s.getSum() == null ? "" : " " + plain(s.getSum());
      return range(plain(s.getMinimum()), plain(s.getMaximum())) + sum;
    } else if (statistics instanceof DateColumnStatistics s) {
      return range(s.getMinimumDayOfEpoch(), s.getMaximumDayOfEpoch());
    } else if (statistics instanceof TimestampColumnStatistics s) {
      return range(time(s.getMinimumUTC()), time(s.getMaximumUTC()));
    } else if (statistics instanceof BinaryColumnStatistics s) {
      return " " + s.getSum();
    } else if (statistics instanceof CollectionColumnStatistics s) {
      return range(s.getMinimumChildren(), s.getMaximumChildren()) + " " + s.getTotalChildren();
    }
    return "";
  }

  private static String range(Object minimum, Object maximum) {
    return " " + minimum + " " + maximum;
  }

  private static String hex(String text) {
    StringBuilder hex = new StringBuilder("x");
    text.codePoints().forEach(point -> hex.append(Integer.toHexString(point)).append('.'));
    return hex.toString();
  }

  private static String plain(HiveDecimal value) {
    BigDecimal stripped = value.bigDecimalValue().stripTrailingZeros();
    return stripped.signum() == 0 ? "0" : stripped.toPlainString();
  }

  private static String time(Timestamp value) {
    return RowPrinter.time(Math.floorDiv(value.getTime(), 1000L), value.getNanos());
  }
}
