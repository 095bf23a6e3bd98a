import com.aliyuncs.AcsResponse;
import com.aliyuncs.transform.UnmarshallerContext;
import java.util.Map;

/** The members of an answer as the SDK's JSON or XML reader hands them to the classes of aliyun-java-sdk-foas. */
public final class FoasResponse extends AcsResponse {
    Map<String, String> members;

    @Override
    public FoasResponse getInstance(UnmarshallerContext context) {
        members = context.getResponseMap();
        return this;
    }
}
