import java.util.LinkedHashMap;
import java.util.Map;

/** Runs a client: Run CLIENT URL KEY EVENTS MILLISECONDS */
public class Run {
    interface Client {
        void send(String event, Map<String, Object> properties) throws Exception;

        default void end() throws Exception {}
    }

    public static void main(String[] told) throws Exception {
        Client client = (Client) Class.forName(told[0]).getConstructor(String.class, String.class).newInstance(told[1], told[2]);
        int events = Integer.parseInt(told[3]);
        for (int n = 1; n <= events; n++) {
            Map<String, Object> properties = new LinkedHashMap<>();
            properties.put("n", n);
            properties.put("note", "Größe ✓");
            try {
                client.send("Event " + n, properties);
            } catch (Exception failure) {
                // a client may tell so that it failed
            }
            Thread.sleep(Long.parseLong(told[4]));
        }
        client.end();
        System.exit(0);
    }
}
