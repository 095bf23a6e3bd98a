import org.testcontainers.containers.GenericContainer;
import org.testcontainers.containers.wait.strategy.Wait;

/** One emulator for all test classes, with a world for each test; Testcontainers stops it with the JVM. */
final class FoasContainer {
    private static final String TOKEN = "of-the-tests";
    private static final GenericContainer<?> CONTAINER = new GenericContainer<>("foas-emulator")
        .withExposedPorts(8018)
        .withEnv("FOASEMU_CONTROL_TOKEN", TOKEN)
        .waitingFor(Wait.forHttp("/_emulator/health").forPort(8018));

    private FoasContainer() {
    }

    static FoasWorld world() {
        if (System.getenv("FOAS_ENDPOINT") != null) { // a running server, for example in CI
            return new FoasWorld();
        }
        CONTAINER.start();
        return new FoasWorld("http://" + CONTAINER.getHost() + ":" + CONTAINER.getMappedPort(8018), TOKEN);
    }
}
