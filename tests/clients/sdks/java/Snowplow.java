import com.snowplowanalytics.snowplow.tracker.Subject;
import com.snowplowanalytics.snowplow.tracker.Tracker;
import com.snowplowanalytics.snowplow.tracker.configuration.EmitterConfiguration;
import com.snowplowanalytics.snowplow.tracker.configuration.NetworkConfiguration;
import com.snowplowanalytics.snowplow.tracker.configuration.SubjectConfiguration;
import com.snowplowanalytics.snowplow.tracker.configuration.TrackerConfiguration;
import com.snowplowanalytics.snowplow.tracker.events.SelfDescribing;
import com.snowplowanalytics.snowplow.tracker.payload.SelfDescribingJson;
import java.util.Map;

public class Snowplow implements Run.Client {
    private final Tracker tracker;

    public Snowplow(String url, String key) {
        tracker = com.snowplowanalytics.snowplow.tracker.Snowplow.createTracker(
            new TrackerConfiguration("sp", key),
            new NetworkConfiguration(url),
            new EmitterConfiguration().batchSize(1),
            new SubjectConfiguration().userId("u-1"));
    }

    public void send(String event, Map<String, Object> properties) {
        String schema = "iglu:com.example/" + event.replace(" ", "_") + "/jsonschema/1-0-0";
        tracker.track(SelfDescribing.builder().eventData(new SelfDescribingJson(schema, properties)).build());
    }

    public void end() throws Exception {
        Thread.sleep(15_000);
        tracker.close();
    }
}
