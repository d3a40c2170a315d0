import com.mixpanel.mixpanelapi.ClientDelivery;
import com.mixpanel.mixpanelapi.MessageBuilder;
import com.mixpanel.mixpanelapi.MixpanelAPI;
import java.util.Map;
import org.json.JSONObject;

public class Mixpanel implements Run.Client {
    private final MessageBuilder messages;
    private final MixpanelAPI mixpanel;

    public Mixpanel(String url, String key) {
        messages = new MessageBuilder(key);
        mixpanel = new MixpanelAPI(url + "/track", url + "/engage");
    }

    public void send(String event, Map<String, Object> properties) throws Exception {
        ClientDelivery delivery = new ClientDelivery();
        delivery.addMessage(messages.event("u-1", event, new JSONObject(properties)));
        mixpanel.deliver(delivery);
    }
}
