import static org.junit.jupiter.api.Assertions.assertEquals;

import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

class JobsTest {
    private static final String INSTANCE = "/api/v2/projects/project1/jobs/job1/instances/412536";

    @RegisterExtension
    final FoasWorld world = FoasContainer.world();

    /** Your program makes this call, with an SDK that signs with world.accessKeyId(). */
    int status() throws Exception {
        var request = HttpRequest.newBuilder(URI.create(world.endpoint + INSTANCE))
            .header("x-emulator-world", world.name).build();
        return HttpClient.newHttpClient().send(request, HttpResponse.BodyHandlers.ofString()).statusCode();
    }

    @Test
    void theDocumentedInstanceIsRunning() throws Exception {
        assertEquals(200, status());
    }

    @Test
    void aFailedInstanceIsRefused() throws Exception {
        world.control("PUT", "/projects/project1/jobs/job1/instances/412536/state", "{\"ActualState\": \"FAILED\"}");
        assertEquals(System.getenv("EXAMPLE_MUST_FAIL") == null ? 400 : 200, status());
    }
}
