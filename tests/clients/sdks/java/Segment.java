import com.segment.analytics.Analytics;
import com.segment.analytics.messages.TrackMessage;
import java.util.Map;
import java.util.concurrent.TimeUnit;

public class Segment implements Run.Client {
    private final Analytics analytics;

    public Segment(String url, String key) {
        analytics = Analytics.builder(key).endpoint(url).flushInterval(1, TimeUnit.SECONDS).build();
    }

    public void send(String event, Map<String, Object> properties) {
        analytics.enqueue(TrackMessage.builder(event).userId("u-1").anonymousId("a-1").properties(properties));
    }

    public void end() throws Exception {
        analytics.flush();
        Thread.sleep(15_000);
        analytics.shutdown();
    }
}
