import com.amplitude.Event;
import java.util.Map;
import org.json.JSONObject;

public class Amplitude implements Run.Client {
    private final com.amplitude.Amplitude client;

    public Amplitude(String url, String key) {
        client = com.amplitude.Amplitude.getInstance("shop");
        client.init(key);
        client.setServerUrl(url + "/2/httpapi");
        client.setEventUploadPeriodMillis(500);
    }

    public void send(String name, Map<String, Object> properties) {
        Event event = new Event(name, "u-1");
        event.eventProperties = new JSONObject(properties);
        client.logEvent(event);
    }

    public void end() throws Exception {
        client.flushEvents();
        Thread.sleep(15_000);
        client.shutdown();
    }
}
