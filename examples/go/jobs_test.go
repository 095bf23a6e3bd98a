package foas

import (
	"net/http"
	"os"
	"testing"
)

const instance = "/api/v2/projects/project1/jobs/job1/instances/412536"

// status makes the call that your program makes, with an SDK that signs with world.AccessKeyID.
func status(t *testing.T, world *World) int {
	t.Helper()
	request, err := http.NewRequest("GET", world.Endpoint+instance, nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("x-emulator-world", world.Name)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	return response.StatusCode
}

func TestTheDocumentedInstanceIsRunning(t *testing.T) {
	t.Parallel()
	if got := status(t, NewWorld(t)); got != 200 {
		t.Errorf("got %d", got)
	}
}

func TestAFailedInstanceIsRefused(t *testing.T) {
	t.Parallel()
	world := NewWorld(t)
	world.Control(t, "PUT", "/projects/project1/jobs/job1/instances/412536/state", `{"ActualState": "FAILED"}`)
	want := 400
	if os.Getenv("EXAMPLE_MUST_FAIL") != "" {
		want = 200
	}
	if got := status(t, world); got != want {
		t.Errorf("got %d, wanted %d", got, want)
	}
}
