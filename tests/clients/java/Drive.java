import com.aliyuncs.DefaultAcsClient;
import com.aliyuncs.exceptions.ClientException;
import com.aliyuncs.http.FormatType;
import com.aliyuncs.http.ProtocolType;
import com.aliyuncs.profile.DefaultProfile;
import com.google.gson.Gson;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.Map;

/** Makes the calls it reads, one JSON document a line, with aliyun-java-sdk-core. */
public final class Drive {
    private static final Gson GSON = new Gson();

    static final class Call {
        String endpoint;
        String access_key_id;
        String access_key_secret;
        String operation;
        String method;
        String pattern;
        String format;
        Map<String, String> path;
        Map<String, String> query;
        Map<String, String> form;
    }

    public static void main(String[] arguments) throws IOException {
        // The default character set of a container's JVM is often ASCII.
        PrintStream answers = new PrintStream(System.out, true, StandardCharsets.UTF_8);
        BufferedReader lines = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String line = lines.readLine(); line != null; line = lines.readLine()) {
            answers.println(GSON.toJson(outcome(GSON.fromJson(line, Call.class))));
        }
    }

    private static Map<String, Object> outcome(Call call) {
        Map<String, Object> outcome = new LinkedHashMap<>();
        try {
            Map<String, String> result = make(call);
            outcome.put("ok", true);
            outcome.put("result", result);
        } catch (ClientException error) {
            outcome.put("ok", false);
            outcome.put("type", error.getClass().getSimpleName());
            outcome.put("code", error.getErrCode());
            outcome.put("message", error.getErrMsg());
            outcome.put("request_id", error.getRequestId());
        } catch (RuntimeException error) {
            outcome.put("ok", false);
            outcome.put("type", error.getClass().getSimpleName());
            outcome.put("message", error.getMessage());
        }
        return outcome;
    }

    private static Map<String, String> make(Call call) throws ClientException {
        DefaultProfile profile =
                DefaultProfile.getProfile("cn-hangzhou", call.access_key_id, call.access_key_secret);
        FoasRequest request = new FoasRequest(call);
        request.setSysProtocol(ProtocolType.HTTPS);
        if (!call.endpoint.isEmpty()) {
            request.setSysEndpoint(call.endpoint);
            request.setSysProtocol(ProtocolType.HTTP);
        }
        request.setSysAcceptFormat(FormatType.valueOf(call.format));
        DefaultAcsClient client = new DefaultAcsClient(profile);
        try {
            return client.getAcsResponse(request).members;
        } finally {
            client.shutdown();
        }
    }
}
