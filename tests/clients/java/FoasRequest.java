import com.aliyuncs.RoaAcsRequest;
import com.aliyuncs.http.MethodType;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;

/** One foas call: what each class of aliyun-java-sdk-foas is, with the operation given as data. */
final class FoasRequest extends RoaAcsRequest<FoasResponse> {
    FoasRequest(Drive.Call call) {
        super("foas", "2018-11-11", call.operation, "foas");
        setSysUriPattern(call.pattern);
        setSysMethod(MethodType.valueOf(call.method));
        call.path.forEach((name, value) -> putPathParameter(name, encoded(value)));
        call.query.forEach(this::putQueryParameter);
        call.form.forEach(this::putBodyParameter);
    }

    @Override
    public Class<FoasResponse> getResponseClass() {
        return FoasResponse.class;
    }

    /** The SDK puts a name into the path as it is, and then its HTTP client refuses a space. */
    private static String encoded(String name) {
        return URLEncoder.encode(name, StandardCharsets.UTF_8).replace("+", "%20");
    }
}
