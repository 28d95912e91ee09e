import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TimeZone;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.Path;
import org.apache.orc.CompressionKind;
import org.apache.orc.OrcConf;
import org.apache.orc.OrcFile;
import org.apache.orc.TypeDescription;
import org.apache.orc.Writer;
import org.apache.orc.storage.ql.exec.vector.VectorizedRowBatch;

/**
 * Writes a file with ORC's own writer. Its name says how, by parts that are joined by `-`:
 *
 * <pre>
 *   none, zlib, snappy, lzo, lz4, zstd, brotli   the codec
 *   scalars, unions, clock, long, texts, …       the schema, see SCHEMAS; default all types but unions
 *   runs, sequence, random                       the values; nulls: and a sixth of them null
 *   berlin, kolkata, …                           the time zone of the writer, see ZONES; default UTC
 *   v011, speed, proleptic, direct, dictionary   as Java's options of similar names
 *   noindex, bloom, oldbloom                     no row index; bloom filters, also in their old form
 * </pre>
 */
final class SampleWriter {
  private static final String SCALARS =
      "a:boolean,b:tinyint,c:smallint,d:int,e:bigint,f:float,g:double,h:string,"
          + "i:varchar(7),j:char(5),k:binary,l:date,m:timestamp,"
          + "n:timestamp with local time zone,o:decimal(10,2),p:decimal(38,10)";

  private static final String ALL =
      "struct<" + SCALARS + ",q:array<string>,r:map<string,bigint>,"
          + "s:struct<x:int,y:array<decimal(5,1)>>,"
          + "t:array<struct<x:double,y:map<string,array<date>>>>>";

  private static final Map<String, String> SCHEMAS =
      Map.of(
          "scalars", "struct<" + SCALARS + ">",
          "unions",
              "struct<a:uniontype<int,string>,b:uniontype<timestamp>,"
                  + "c:array<uniontype<boolean,decimal(10,2),double>>,"
                  + "d:map<string,uniontype<bigint,struct<x:tinyint,y:uniontype<date,binary>>>>,"
                  + "e:uniontype<array<int>,map<string,string>,uniontype<char(3),float>>>",
          "clock", "struct<m:timestamp,n:timestamp with local time zone,k:array<timestamp>>",
          "long", "bigint",
          "texts", "array<string>",
          "pairs", "map<string,int>",
          "either", "uniontype<int,string>",
          "moment", "timestamp");

  /**
   * With changes of an hour, without changes, with changes of half an hour, with a day that was
   * left out, with winter time as the exception, and by a name of old.
   */
  private static final Map<String, String> ZONES =
      Map.of(
          "newyork", "America/New_York",
          "berlin", "Europe/Berlin",
          "kolkata", "Asia/Kolkata",
          "lordhowe", "Australia/Lord_Howe",
          "apia", "Pacific/Apia",
          "dublin", "Europe/Dublin",
          "pacific", "US/Pacific",
          "gmt", "GMT");

  /** Enough for all times of a zone; see ClockTimes. */
  private static final int ROWS = 3500;

  private static final int BATCH_ROWS = 500;

  private SampleWriter() {}

  static void write(String file, String name, Configuration base) throws Exception {
    List<String> parts = Arrays.asList(name.split("-"));
    TimeZone standard = TimeZone.getDefault();
    String zone = pick(parts, ZONES, null);
    try {
      // The writer takes the zone of the virtual machine, unless it is to use UTC.
      if (zone != null) TimeZone.setDefault(TimeZone.getTimeZone(zone));
      TypeDescription schema = TypeDescription.fromString(pick(parts, SCHEMAS, ALL));
      OrcFile.WriterOptions options = options(parts, schema, base).useUTCTimestamp(zone == null);
      SampleValues values = new SampleValues(name, parts, zone == null);
      writeRows(new Path(file), schema, options, values);
    } finally {
      TimeZone.setDefault(standard);
    }
  }

  private static OrcFile.WriterOptions options(
      List<String> parts, TypeDescription schema, Configuration base) {
    Configuration configuration = new Configuration(base);
    if (parts.contains("direct")) OrcConf.DICTIONARY_KEY_SIZE_THRESHOLD.setDouble(configuration, 0);
    if (parts.contains("dictionary")) {
      OrcConf.DICTIONARY_KEY_SIZE_THRESHOLD.setDouble(configuration, 1);
    }
    OrcConf.ENCODING_STRATEGY.setString(
        configuration, parts.contains("speed") ? "SPEED" : "COMPRESSION");
    OrcFile.WriterOptions options =
        OrcFile.writerOptions(configuration)
            .setSchema(schema)
            .compress(CompressionKind.valueOf(parts.get(0).toUpperCase()))
            .bufferSize(16 * 1024)
            .setProlepticGregorian(parts.contains("proleptic"))
            .version(parts.contains("v011") ? OrcFile.Version.V_0_11 : OrcFile.Version.V_0_12)
            .overwrite(true);
    if (parts.contains("noindex")) options.rowIndexStride(0);
    if (parts.contains("bloom") || parts.contains("oldbloom")) {
      options.rowIndexStride(1000).bloomFilterColumns(String.join(",", schema.getFieldNames()));
    }
    if (parts.contains("oldbloom")) {
      options.bloomFilterVersion(OrcFile.BloomFilterVersion.ORIGINAL);
    }
    return options;
  }

  private static void writeRows(
      Path file, TypeDescription schema, OrcFile.WriterOptions options, SampleValues values)
      throws Exception {
    boolean isStruct = schema.getCategory() == TypeDescription.Category.STRUCT;
    try (Writer writer = OrcFile.createWriter(file, options)) {
      VectorizedRowBatch batch = schema.createRowBatch();
      for (int start = 0; start < ROWS; start += BATCH_ROWS) {
        batch.reset();
        for (int row = 0; row < BATCH_ROWS; row++) {
          for (int column = 0; column < batch.cols.length; column++) {
            TypeDescription type = isStruct ? schema.getChildren().get(column) : schema;
            values.set(type, batch.cols[column], row, start + row);
          }
        }
        batch.size = BATCH_ROWS;
        writer.addRowBatch(batch);
        if (start == 1500) writer.writeIntermediateFooter();
      }
    }
  }

  private static String pick(List<String> parts, Map<String, String> choices, String otherwise) {
    return parts.stream().filter(choices::containsKey).map(choices::get).findFirst()
        .orElse(otherwise);
  }
}
