import java.time.Instant;
import java.time.LocalDateTime;
import java.time.ZoneId;
import java.time.zone.ZoneOffsetTransition;
import java.time.zone.ZoneRules;
import java.util.ArrayList;
import java.util.List;

/** Times at which conversions between time zones go wrong. */
final class ClockTimes {
  private static final Instant FIRST = Instant.parse("1800-01-01T00:00:00Z");
  private static final Instant LAST = Instant.parse("2045-01-01T00:00:00Z");

  /**
   * Wall clocks: the ends of the calendar that Hive knows and of the Julian one, where zones began
   * and Java's tables begin, the epoch, the base of ORC's timestamps, the end of 32 bits.
   */
  private static final List<String> MOMENTS =
      List.of(
          "0001-01-02T00:00:00", "1582-10-04T12:00:00", "1582-10-15T00:00:00",
          "1883-11-18T12:00:00", "1900-01-01T00:00:00", "1901-12-13T20:45:52",
          "1969-12-31T23:59:59", "1970-01-01T00:00:00", "2015-01-01T00:00:00",
          "2038-01-19T03:14:07", "2499-07-01T00:00:00", "9999-12-30T00:00:00");

  /** In seconds, around a moment. */
  private static final long[] DISTANCES = {-7200, -3601, -3600, -1800, -1, 0, 1, 1800, 3600, 7200};

  /** In nanoseconds. */
  private static final long[] FRACTIONS = {0, 1, 500_000_000, -1};

  private ClockTimes() {}

  /** Times around the moments above, in the zone and in UTC, and each change of its clocks. */
  static List<Instant> of(ZoneId zone) {
    List<Instant> moments = new ArrayList<>();
    for (String time : MOMENTS) {
      moments.add(LocalDateTime.parse(time).atZone(zone).toInstant());
      moments.add(Instant.parse(time + "Z"));
    }
    ZoneRules rules = zone.getRules();
    ZoneOffsetTransition change = rules.nextTransition(FIRST);
    while (change != null && change.getInstant().isBefore(LAST)) {
      moments.add(change.getInstant());
      change = rules.nextTransition(change.getInstant());
    }
    List<Instant> times = new ArrayList<>();
    for (Instant moment : moments) {
      for (long distance : DISTANCES) {
        // Each distance has another fraction at the next moment.
        int place = times.size() + times.size() / DISTANCES.length;
        long fraction = FRACTIONS[place % FRACTIONS.length];
        times.add(moment.plusSeconds(distance).plusNanos(fraction));
      }
    }
    return times;
  }
}
