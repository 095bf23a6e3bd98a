package foas

import (
	"crypto/rand"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"testing"
)

// World is the world of one test: sign with AccessKeyID and the secret "test".
type World struct{ Endpoint, Name, AccessKeyID string }

// NewWorld creates a world that is dropped after the test; if the test fails, its journal is logged.
// Run tests with -count=1, because Go caches passed tests although the server may have changed.
func NewWorld(t *testing.T) *World {
	t.Helper()
	endpoint := strings.TrimSuffix(os.Getenv("FOAS_ENDPOINT"), "/")
	if endpoint == "" {
		endpoint = "http://127.0.0.1:8018"
	}
	var id [16]byte
	if _, err := rand.Read(id[:]); err != nil {
		t.Fatal(err)
	}
	name := fmt.Sprintf("go-%x", id)
	world := &World{endpoint, name, "world-" + name}
	world.Control(t, "PUT", "/settings", "{}")
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("The calls of the test's world:\n%s", world.Control(t, "GET", "/journal?last=1000&as=text", ""))
		}
		world.Control(t, "DELETE", "", "")
	})
	return world
}

// Control calls the control API for this world; docs/control-api.md describes it.
func (w *World) Control(t *testing.T, method, path, body string) string {
	t.Helper()
	request, err := http.NewRequest(method, w.Endpoint+"/_emulator/worlds/"+w.Name+path, strings.NewReader(body))
	if err != nil {
		t.Fatalf("%s is no URL: set FOAS_ENDPOINT to one, such as http://127.0.0.1:8018. %v", w.Endpoint, err)
	}
	if token := os.Getenv("FOASEMU_CONTROL_TOKEN"); token != "" {
		request.Header.Set("Authorization", "Bearer "+token)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatalf("No foas-emulator answers at %s: start one, or set FOAS_ENDPOINT. %v", w.Endpoint, err)
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode >= 400 {
		t.Fatalf("%s %s: %d %s %v", method, path, response.StatusCode, answer, err)
	}
	return string(answer)
}
