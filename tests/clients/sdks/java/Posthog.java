import com.posthog.java.PostHog;
import java.util.Map;

public class Posthog implements Run.Client {
    private final PostHog posthog;

    public Posthog(String url, String key) {
        posthog = new PostHog.Builder(key).host(url).build();
    }

    public void send(String event, Map<String, Object> properties) {
        posthog.capture("u-1", event, properties);
    }

    public void end() {
        posthog.shutdown();
    }
}
