import com.aliyuncs.RoaAcsRequest;
import com.aliyuncs.http.MethodType;

/** One foas call: what each class of aliyun-java-sdk-foas is, with the operation given as data. */
final class FoasRequest extends RoaAcsRequest<FoasResponse> {
    FoasRequest(Drive.Call call) {
        super("foas", "2018-11-11", call.operation, "foas");
        setSysUriPattern(call.pattern);
        setSysMethod(MethodType.valueOf(call.method));
        call.path.forEach((name, value) -> putPathParameter(name, value.replace(" ", "%20")));
        call.query.forEach((name, value) -> putQueryParameter(name, value));
        call.form.forEach((name, value) -> putBodyParameter(name, value));
    }

    @Override
    public Class<FoasResponse> getResponseClass() {
        return FoasResponse.class;
    }
}
