package awsapi

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// stages are the versions of a secret by staging label.
type stages map[string]version

type version struct {
	id      string
	text    *string
	binary  []byte
	created int64 // Unix seconds
}

// SetSecret stores a text as the current version. The version before becomes AWSPREVIOUS, as after a rotation.
func (s *Server) SetSecret(name, value string) {
	s.setSecret(name, "AWSCURRENT", version{text: &value})
}

// SetSecretBinary stores bytes as the current version.
func (s *Server) SetSecretBinary(name string, value []byte) {
	s.setSecret(name, "AWSCURRENT", version{binary: slices.Clone(value)})
}

// StageSecret stores a text under another label, like AWSPENDING.
func (s *Server) StageSecret(name, stage, value string) {
	s.setSecret(name, stage, version{text: &value})
}

func (s *Server) setSecret(name, stage string, v version) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.secrets[name] == nil {
		s.secrets[name] = stages{}
	}
	known := s.secrets[name]
	if before, ok := known["AWSCURRENT"]; ok && stage == "AWSCURRENT" {
		known["AWSPREVIOUS"] = before
	}
	s.versions++
	v.id = fmt.Sprintf("00000000-0000-4000-9000-%012d", s.versions)
	v.created = s.now().Unix()
	known[stage] = v
}

// SecretARN is the ARN of the secret with the given name, with the six characters that AWS appends.
func (s *Server) SecretARN(name string) string {
	return "arn:aws:secretsmanager:" + s.region + ":" + account + ":secret:" + name + "-AbCdEf"
}

type getSecretValueInput struct {
	SecretID     string `json:"SecretId"`
	VersionID    string `json:"VersionId"`
	VersionStage string
}

type getSecretValueOutput struct {
	ARN           string
	CreatedDate   int64
	Name          string
	SecretBinary  []byte   `json:",omitempty"`
	SecretString  *string  `json:",omitempty"`
	VersionID     string   `json:"VersionId"`
	VersionStages []string `json:",omitempty"`
}

func (s *Server) getSecretValue(body []byte) (any, *failure) {
	var input getSecretValueInput
	if failed := decode(body, &input); failed != nil {
		return nil, failed
	}
	if input.SecretID == "" {
		return nil, &failure{status: 400, code: "InvalidParameterException", message: "SecretId is missing"}
	}
	name := s.secretName(input.SecretID)
	known, ok := s.secrets[name]
	if !ok {
		return nil, &failure{status: 400, code: "ResourceNotFoundException", message: "Secrets Manager can't find the specified secret."}
	}
	stage, found := known.find(input)
	if !found {
		message := "Secrets Manager can't find the specified secret value for staging label: " + stage
		return nil, &failure{status: 400, code: "ResourceNotFoundException", message: message}
	}
	v := known[stage]
	return getSecretValueOutput{s.SecretARN(name), v.created, name, v.binary, v.text, v.id, []string{stage}}, nil
}

// secretName returns the name in an ARN, with or without the six characters. Other ids are names.
func (s *Server) secretName(id string) string {
	if name, ok := strings.CutPrefix(id, strings.TrimSuffix(s.SecretARN(""), "-AbCdEf")); ok {
		return strings.TrimSuffix(name, "-AbCdEf")
	}
	return id
}

// find returns the label of the requested version: by its id, by its label, or the current one.
func (known stages) find(input getSecretValueInput) (stage string, found bool) {
	stage = input.VersionStage
	if stage == "" {
		stage = "AWSCURRENT"
	}
	if input.VersionID != "" {
		for _, label := range slices.Sorted(maps.Keys(known)) {
			if known[label].id == input.VersionID && (input.VersionStage == "" || input.VersionStage == label) {
				return label, true
			}
		}
		return stage, false
	}
	_, found = known[stage]
	return stage, found
}
