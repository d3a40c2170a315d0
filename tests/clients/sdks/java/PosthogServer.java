import com.posthog.server.PostHog;
import com.posthog.server.PostHogCaptureOptions;
import com.posthog.server.PostHogConfig;
import com.posthog.server.PostHogInterface;
import java.util.Map;

public class PosthogServer implements Run.Client {
    private final PostHogInterface posthog;

    public PosthogServer(String url, String key) {
        posthog = PostHog.with(new PostHogConfig.Builder(key).host(url).flushAt(1).flushIntervalSeconds(1).build());
    }

    public void send(String event, Map<String, Object> properties) {
        posthog.capture("u-1", event, new PostHogCaptureOptions.Builder().properties(properties).build());
    }

    public void end() throws Exception {
        posthog.flush();
        Thread.sleep(15_000);
        posthog.close();
    }
}
