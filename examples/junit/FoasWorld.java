import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.util.UUID;
import org.junit.jupiter.api.extension.AfterEachCallback;
import org.junit.jupiter.api.extension.BeforeEachCallback;
import org.junit.jupiter.api.extension.ExtensionContext;

/**
 * Creates a world for each test, and prints its journal if the test fails: a field with {@code @RegisterExtension}.
 * The field must not be static, because tests that run in parallel would share it.
 */
class FoasWorld implements BeforeEachCallback, AfterEachCallback {
    private final HttpClient http = HttpClient.newHttpClient();
    private final String token;
    final String endpoint;
    final String accessKeySecret = "test";
    String name;

    FoasWorld() {
        this(System.getenv().getOrDefault("FOAS_ENDPOINT", "http://127.0.0.1:8018"), System.getenv("FOASEMU_CONTROL_TOKEN"));
    }

    FoasWorld(String endpoint, String token) {
        this.endpoint = endpoint.replaceFirst("/$", "");
        this.token = token;
    }

    String accessKeyId() {
        return "world-" + name;
    }

    @Override
    public void beforeEach(ExtensionContext test) throws Exception {
        name = UUID.randomUUID().toString();
        control("PUT", "/settings", "{}");
    }

    @Override
    public void afterEach(ExtensionContext test) throws Exception {
        if (test.getExecutionException().isPresent()) {
            // Standard output is what Maven, Gradle and the console all show.
            System.out.println("The calls of the test's world:\n" + control("GET", "/journal?last=1000&as=text", ""));
        }
        control("DELETE", "", "");
    }

    /** Calls the control API for this world; docs/control-api.md describes it. */
    String control(String method, String path, String body) throws Exception {
        if (!endpoint.startsWith("http")) {
            throw new IllegalStateException(endpoint + " is no URL: set FOAS_ENDPOINT to one, such as http://127.0.0.1:8018.");
        }
        var request = HttpRequest.newBuilder(URI.create(endpoint + "/_emulator/worlds/" + name + path))
            .method(method, HttpRequest.BodyPublishers.ofString(body));
        if (token != null) {
            request.header("Authorization", "Bearer " + token);
        }
        HttpResponse<String> answer;
        try {
            answer = http.send(request.build(), HttpResponse.BodyHandlers.ofString());
        } catch (IOException nobody) {
            throw new IllegalStateException("No foas-emulator answers at " + endpoint + ": start one, or set FOAS_ENDPOINT.", nobody);
        }
        if (answer.statusCode() >= 400) {
            throw new IllegalStateException(answer.body());
        }
        return answer.body();
    }
}
