import com.fasterxml.jackson.databind.ObjectMapper;
import foas.ApiClient;
import foas.ApiException;
import foas.api.InstancesApi;
import foas.api.JobsApi;
import foas.model.CommitJobRequest;
import foas.model.CreateJobRequest;
import foas.model.Error;
import foas.model.InstanceDetails;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * Calls the emulator with a client that openapi-generator made of the service's document, and writes what it got as one
 * JSON document.
 */
public class Drive {
    private static final String WORLD = "openapi-generator-java";
    private static final String JOB = "made-by-java";

    public static void main(String[] arguments) throws Exception {
        ApiClient client = new ApiClient();
        client.updateBaseUri(arguments[0]);
        InstancesApi instances = new InstancesApi(client);
        JobsApi jobs = new JobsApi(client);
        Map<String, Object> got = new LinkedHashMap<>();
        InstanceDetails running = instances.getInstance("project1", "job1", 412536L, null, WORLD).getInstance();
        got.put("state", running.getActualState());
        got.put("startTime", running.getStartTime());
        try {
            instances.getInstance("demo", "paused-stream", 500003L, null, WORLD);
        } catch (ApiException refused) {
            got.put("code", new ObjectMapper().readValue(refused.getResponseBody(), Error.class).getCode());
        }
        CreateJobRequest job = new CreateJobRequest()
            .jobName(JOB)
            .jobType(CreateJobRequest.JobTypeEnum.FLINK_STREAM)
            .apiType(CreateJobRequest.ApiTypeEnum.SQL)
            .code("INSERT INTO a SELECT * FROM b;");
        got.put("created", jobs.createJobWithHttpInfo("demo", job, null, WORLD).getStatusCode());
        CommitJobRequest online = new CommitJobRequest().isOnOff(false);
        got.put("committed", jobs.commitJobWithHttpInfo("demo", JOB, null, WORLD, online).getStatusCode());
        got.put("id", jobs.startJob("demo", JOB, null, WORLD, null).getInstanceId());
        System.out.println(new ObjectMapper().writeValueAsString(got));
    }
}
