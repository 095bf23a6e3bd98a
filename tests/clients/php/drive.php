<?php
// Makes the calls it reads, one JSON document a line, with alibabacloud/client.

require __DIR__ . '/vendor/autoload.php';

use AlibabaCloud\Client\AlibabaCloud;
use AlibabaCloud\Client\Exception\ServerException;

function outcome(array $call): array
{
    AlibabaCloud::accessKeyClient($call['access_key_id'], $call['access_key_secret'])
        ->regionId('cn-hangzhou')
        ->asDefaultClient();
    $request = AlibabaCloud::roa()
        ->product('foas')
        ->version('2018-11-11')
        ->action($call['operation'])
        ->method($call['method'])
        ->pathPattern($call['pattern'])
        ->format($call['format']);
    if ($call['endpoint']) {
        $request->scheme('http')->host($call['endpoint']);
    } else {
        $request->scheme('https');
    }
    foreach ($call['path'] as $name => $value) {
        $request->pathParameter($name, $value);
    }
    if ($call['query']) {
        $request->options(['query' => $call['query']]);
    }
    if ($call['form']) {
        $request->options(['form_params' => $call['form']]);
    }
    try {
        return ['ok' => true, 'result' => $request->request()->toArray()];
    } catch (ServerException $error) {
        return [
            'ok' => false,
            'type' => get_class($error),
            'code' => $error->getErrorCode(),
            'message' => $error->getErrorMessage(),
            'status' => $error->getResult()->getStatusCode(),
            'request_id' => $error->getRequestId(),
        ];
    } catch (Exception $error) {
        return ['ok' => false, 'type' => get_class($error), 'message' => $error->getMessage()];
    }
}

while (($line = fgets(STDIN)) !== false) {
    echo json_encode(outcome(json_decode($line, true))), "\n";
}
