variable "name" {
  description = "Name of the application, and the first part of every name in AWS."
  type        = string
  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{0,22}[a-z0-9]$", var.name)) && !strcontains(var.name, "--")
    error_message = "`name` must have 2 to 24 characters: lower-case letters, digits and single hyphens, with a letter first. A target group's name (NAME-develop) may have no more than 32."
  }
}

variable "region" {
  description = "AWS region, such as eu-west-1."
  type        = string
  validation {
    condition     = can(regex("^[a-z]{2}(-[a-z]+)+-[0-9]$", var.region))
    error_message = "`region` must be a region such as eu-west-1, without the letter of a zone."
  }
}

variable "state_bucket" {
  description = "S3 bucket that holds the states: the output StateBucket of bootstrap.yml."
  type        = string
  validation {
    condition     = can(regex("^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$", var.state_bucket))
    error_message = "`state_bucket` must be the name of an S3 bucket, without s3:// and without a folder."
  }
}

variable "repository" {
  description = "GitHub repository whose jobs may assume the roles, such as octo-org/shop."
  type        = string
  validation {
    condition     = can(regex("^[A-Za-z0-9_.-]+/[A-Za-z0-9_.-]+$", var.repository))
    error_message = "`repository` must be OWNER/NAME, such as octo-org/shop, without https:// and without wildcards."
  }
}

variable "repository_with_ids" {
  description = "The repository with its ids, such as octo-org@1234/shop@5678, for repositories whose tokens carry them."
  type        = string
  default     = null
  validation {
    condition     = var.repository_with_ids == null ? true : can(regex("^[A-Za-z0-9_.-]+@[0-9]+/[A-Za-z0-9_.-]+@[0-9]+$", var.repository_with_ids))
    error_message = "`repository_with_ids` must be OWNER@OWNER_ID/NAME@NAME_ID, such as octo-org@1234/shop@5678."
  }
}

variable "branch" {
  description = "Branch whose pushes build and deploy."
  type        = string
  default     = "main"
  validation {
    condition     = can(regex("^[A-Za-z0-9._/-]+$", var.branch))
    error_message = "`branch` must be the name of one branch, without wildcards."
  }
}

variable "environments" {
  description = "GitHub environments: of the promotion, which a person approves, and of the traffic buttons, which none delays."
  type = object({
    promote = optional(string, "production")
    traffic = optional(string, "production-traffic")
  })
  default = {}
  validation {
    condition     = alltrue([for name in values(var.environments) : can(regex("^[^:*?]+$", name))])
    error_message = "`environments` must be names of GitHub environments, without : and without wildcards."
  }
}

variable "scaling" {
  description = "Who owns scalable targets, policies and their alarms: terraform (the directory services), action (`scaling` in the action's config file) or none."
  type        = string
  default     = "terraform"
  validation {
    condition     = contains(["terraform", "action", "none"], var.scaling)
    error_message = "`scaling` must be terraform, action or none. Never both: each would undo the other's policies."
  }
}

variable "secrets" {
  description = "Secrets of the container: name of the environment variable, and ARN of a Secrets Manager secret or SSM parameter."
  type        = map(string)
  default     = {}
  validation {
    condition     = alltrue([for arn in values(var.secrets) : can(regex("^arn:aws[a-z-]*:(secretsmanager:[a-z0-9-]+:[0-9]{12}:secret:|ssm:[a-z0-9-]+:[0-9]{12}:parameter/).+", arn))])
    error_message = "`secrets` must hold ARNs of Secrets Manager secrets or SSM parameters, not the secrets themselves."
  }
  validation {
    condition     = alltrue([for name in keys(var.secrets) : can(regex("^[A-Za-z_][A-Za-z0-9_]*$", name))])
    error_message = "`secrets` must have names of environment variables, such as DATABASE_URL."
  }
}

variable "secrets_keys" {
  description = "ARNs of the KMS keys that encrypt the secrets, if these are keys of your own."
  type        = set(string)
  default     = []
  validation {
    condition     = alltrue([for arn in var.secrets_keys : can(regex("^arn:aws[a-z-]*:kms:[a-z0-9-]+:[0-9]{12}:key/.+", arn))])
    error_message = "`secrets_keys` must hold ARNs of KMS keys."
  }
}

variable "task_policies" {
  description = "ARNs of policies for the application itself."
  type        = set(string)
  default     = []
  validation {
    condition     = alltrue([for arn in var.task_policies : can(regex("^arn:aws[a-z-]*:iam::(aws|[0-9]{12}):policy/.+", arn))])
    error_message = "`task_policies` must hold ARNs of IAM policies."
  }
}
