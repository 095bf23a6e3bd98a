// Calls the emulator with a client that oapi-codegen made of the service's document, and writes what it got as one
// JSON document.
package main

import (
	"context"
	"encoding/json"
	"log"
	"os"

	"foas-emulator/openapi/foas"
)

func main() {
	client, err := foas.NewClientWithResponses(os.Args[1])
	check(err)
	world := "oapi-codegen"
	asked := context.Background()
	running, err := client.GetInstanceWithResponse(
		asked, "project1", "job1", 412536, &foas.GetInstanceParams{XEmulatorWorld: &world})
	check(err)
	paused, err := client.GetInstanceWithResponse(
		asked, "demo", "paused-stream", 500003, &foas.GetInstanceParams{XEmulatorWorld: &world})
	check(err)
	created, err := client.CreateJobWithFormdataBodyWithResponse(
		asked, "demo", &foas.CreateJobParams{XEmulatorWorld: &world}, foas.CreateJobFormdataRequestBody{
			JobName: "made-by-go", JobType: "FLINK_STREAM", ApiType: "SQL", Code: "INSERT INTO a SELECT * FROM b;",
		})
	check(err)
	isOnOff := false
	committed, err := client.CommitJobWithResponse( // as JSON, which the document has, too
		asked, "demo", "made-by-go", &foas.CommitJobParams{XEmulatorWorld: &world},
		foas.CommitJobJSONRequestBody{IsOnOff: &isOnOff})
	check(err)
	started, err := client.StartJobWithFormdataBodyWithResponse(
		asked, "demo", "made-by-go", &foas.StartJobParams{XEmulatorWorld: &world}, foas.StartJobFormdataRequestBody{})
	check(err)
	check(json.NewEncoder(os.Stdout).Encode(map[string]any{
		"state":     running.JSON200.Instance.ActualState,
		"startTime": running.JSON200.Instance.StartTime,
		"code":      paused.JSON400.Code,
		"created":   created.StatusCode(),
		"committed": committed.StatusCode(),
		"id":        started.JSON200.InstanceId,
	}))
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
