// Makes the calls it reads, one JSON document a line, with alibaba-cloud-sdk-go and its foas package.
package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"log"
	"os"

	sdkerrors "github.com/aliyun/alibaba-cloud-sdk-go/sdk/errors"
	"github.com/aliyun/alibaba-cloud-sdk-go/sdk/requests"
	"github.com/aliyun/alibaba-cloud-sdk-go/services/foas"
)

type call struct {
	Endpoint        string            `json:"endpoint"`
	AccessKeyID     string            `json:"access_key_id"`
	AccessKeySecret string            `json:"access_key_secret"`
	Operation       string            `json:"operation"`
	Format          string            `json:"format"`
	Path            map[string]string `json:"path"`
	Query           map[string]string `json:"query"`
	Form            map[string]string `json:"form"`
}

type refusal struct {
	OK        bool   `json:"ok"`
	Type      string `json:"type"`
	Code      string `json:"code"`
	Message   string `json:"message"`
	Status    int    `json:"status"`
	RequestID string `json:"request_id"`
	Recommend string `json:"recommend"`
}

type answer struct {
	OK     bool `json:"ok"`
	Result any  `json:"result"`
}

func aim(request *requests.RoaRequest, c call) {
	request.AcceptFormat = c.Format
	request.Scheme = requests.HTTPS
	if c.Endpoint != "" {
		request.Scheme = requests.HTTP
		request.Domain = c.Endpoint
	}
}

func perform(client *foas.Client, c call) (any, error) {
	switch c.Operation {
	case "GetInstance":
		request := foas.CreateGetInstanceRequest()
		request.ProjectName, request.JobName = c.Path["projectName"], c.Path["jobName"]
		request.InstanceId = requests.Integer(c.Path["instanceId"])
		aim(request.RoaRequest, c)
		return client.GetInstance(request)
	case "ModifyInstanceState":
		request := foas.CreateModifyInstanceStateRequest()
		request.ProjectName, request.JobName = c.Path["projectName"], c.Path["jobName"]
		request.InstanceId = requests.Integer(c.Path["instanceId"])
		request.ExpectState = c.Form["expectState"]
		aim(request.RoaRequest, c)
		return client.ModifyInstanceState(request)
	case "CreateFolder":
		request := foas.CreateCreateFolderRequest()
		request.ProjectName, request.Path = c.Path["projectName"], c.Form["path"]
		aim(request.RoaRequest, c)
		return client.CreateFolder(request)
	case "GetFolder":
		request := foas.CreateGetFolderRequest()
		request.ProjectName, request.Path = c.Path["projectName"], c.Query["path"]
		aim(request.RoaRequest, c)
		return client.GetFolder(request)
	default:
		return nil, fmt.Errorf("the tour does not call %s", c.Operation)
	}
}

// A program keeps its client, and a client its connections.
var clients = map[string]*foas.Client{}

func clientOf(c call) *foas.Client {
	key := c.AccessKeyID + ":" + c.AccessKeySecret
	if clients[key] == nil {
		client, err := foas.NewClientWithAccessKey("cn-hangzhou", c.AccessKeyID, c.AccessKeySecret)
		if err != nil {
			log.Fatal(err)
		}
		clients[key] = client
	}
	return clients[key]
}

func outcome(c call) any {
	result, err := perform(clientOf(c), c)
	if err == nil {
		return answer{OK: true, Result: result}
	}
	var server *sdkerrors.ServerError
	if !errors.As(err, &server) {
		return refusal{Type: fmt.Sprintf("%T", err), Message: err.Error()}
	}
	return refusal{
		Type:      fmt.Sprintf("%T", err),
		Code:      server.ErrorCode(),
		Message:   server.Message(),
		Status:    server.HttpStatus(),
		RequestID: server.RequestId(),
		Recommend: server.Recommend(),
	}
}

func main() {
	lines := bufio.NewScanner(os.Stdin)
	answers := json.NewEncoder(os.Stdout)
	for lines.Scan() {
		var c call
		if err := json.Unmarshal(lines.Bytes(), &c); err != nil {
			log.Fatal(err)
		}
		if err := answers.Encode(outcome(c)); err != nil {
			log.Fatal(err)
		}
	}
}
