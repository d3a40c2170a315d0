import com.snowplowanalytics.snowplow.tracker.Subject;
import com.snowplowanalytics.snowplow.tracker.Tracker;
import com.snowplowanalytics.snowplow.tracker.emitter.BatchEmitter;
import com.snowplowanalytics.snowplow.tracker.events.Unstructured;
import com.snowplowanalytics.snowplow.tracker.payload.SelfDescribingJson;
import java.util.Map;

public class Snowplow0 implements Run.Client {
    private final Tracker tracker;

    public Snowplow0(String url, String key) {
        BatchEmitter emitter = BatchEmitter.builder().url(url).batchSize(1).build();
        Subject subject = new Subject.SubjectBuilder().userId("u-1").build();
        tracker = new Tracker.TrackerBuilder(emitter, "sp", key).subject(subject).build();
    }

    public void send(String event, Map<String, Object> properties) {
        String schema = "iglu:com.example/" + event.replace(" ", "_") + "/jsonschema/1-0-0";
        tracker.track(Unstructured.builder().eventData(new SelfDescribingJson(schema, properties)).build());
    }

    public void end() throws Exception {
        Thread.sleep(15_000);
    }
}
