package awssecretsmanager

// advice says what to do about the errors that a wrong set-up gives.
//
// Source: https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_GetSecretValue.html
func advice(code string) string {
	switch code {
	case "ResourceNotFoundException":
		return "check the name, the version stage, the region and the account"
	case "AccessDeniedException":
		return "the function's role needs secretsmanager:GetSecretValue on this secret, and kms:Decrypt if it is under a key of your own"
	case "DecryptionFailure":
		return "the secret's KMS key must be enabled, and the function's role needs kms:Decrypt on it"
	case "InvalidRequestException":
		return "the secret may be marked for deletion"
	case "ThrottlingException", "ThrottledException":
		return "too many reads: raise GIFTSTATS_SECRET_TTL"
	}
	return ""
}
