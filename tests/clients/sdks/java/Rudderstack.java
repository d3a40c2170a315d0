import com.rudderstack.sdk.java.analytics.RudderAnalytics;
import com.rudderstack.sdk.java.analytics.messages.TrackMessage;
import java.util.Map;
import java.util.concurrent.TimeUnit;

public class Rudderstack implements Run.Client {
    private final RudderAnalytics analytics;

    public Rudderstack(String url, String key) {
        analytics = RudderAnalytics.builder(key).setDataPlaneUrl(url).flushInterval(1, TimeUnit.SECONDS).build();
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
