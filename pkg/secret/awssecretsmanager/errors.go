package awssecretsmanager

// advice says how to correct the set-up after an error code. It returns an empty string for other codes.
//
// Source: https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_GetSecretValue.html
func advice(code string) string {
	switch code {
	case "ResourceNotFoundException":
		return "check the name, the version stage, the region and the account"
	case "AccessDeniedException":
		return "the function's role needs secretsmanager:GetSecretValue on this secret, and kms:Decrypt if it has a customer managed key"
	case "DecryptionFailure":
		return "enable the secret's KMS key, and give the function's role kms:Decrypt on it"
	case "InvalidRequestException":
		return "the secret may be marked for deletion"
	case "ThrottlingException", "ThrottledException":
		return "too many reads: raise GIFTSTATS_SECRET_TTL"
	}
	return ""
}
