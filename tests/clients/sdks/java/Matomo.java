import java.util.Map;
import org.matomo.java.tracking.MatomoRequest;
import org.matomo.java.tracking.MatomoTracker;
import org.matomo.java.tracking.parameters.VisitorId;

public class Matomo implements Run.Client {
    private final MatomoTracker matomo;
    private final int site;

    public Matomo(String url, String key) {
        matomo = new MatomoTracker(url + "/matomo.php");
        site = Integer.parseInt(key);
    }

    public void send(String event, Map<String, Object> properties) {
        matomo.sendRequestAsync(MatomoRequest.request()
            .siteId(site)
            .actionUrl("https://shop.example/")
            .visitorId(VisitorId.fromHex("0123456789abcdef"))
            .eventCategory((String) properties.get("note"))
            .eventAction(event)
            .eventValue(((Integer) properties.get("n")).doubleValue())
            .build());
    }
}
