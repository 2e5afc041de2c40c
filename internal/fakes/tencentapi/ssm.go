package tencentapi

import (
	"encoding/base64"
	"net/http"
)

type secretVersion struct{ name, version string }

type secretValue struct{ text, binary string }

// SetSecret stores a text under a name and a version, like v1. The version SSM_Current exists only if it is set: no page says
// that secrets made by hand have it.
func (s *Server) SetSecret(name, version, value string) {
	s.setSecret(name, version, secretValue{text: value})
}

// SetSecretBinary stores bytes under a name and a version.
func (s *Server) SetSecretBinary(name, version string, value []byte) {
	s.setSecret(name, version, secretValue{binary: base64.StdEncoding.EncodeToString(value)})
}

func (s *Server) setSecret(name, version string, value secretValue) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.secrets[secretVersion{name, version}] = value
}

func (s *Server) getSecretValue(_ *http.Request, body []byte) (map[string]any, *failure) {
	var input struct{ SecretName, VersionID string }
	if failed := decode(body, &input); failed != nil {
		return nil, failed
	}
	if input.SecretName == "" || input.VersionID == "" {
		return nil, &failure{"MissingParameter", "The request is missing the parameter `SecretName` or `VersionId`."}
	}
	value, ok := s.secrets[secretVersion{input.SecretName, input.VersionID}]
	if !ok {
		return nil, &failure{"ResourceNotFound", "The secret or its version does not exist."}
	}
	return map[string]any{
		"SecretName":   input.SecretName,
		"VersionId":    input.VersionID,
		"SecretString": value.text,
		"SecretBinary": value.binary,
	}, nil
}
