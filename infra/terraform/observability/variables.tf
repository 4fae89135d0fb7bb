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

variable "email" {
  description = "Address that alarms write to. AWS sends it one message to confirm."
  type        = string
  default     = null
  validation {
    condition     = var.email == null ? true : can(regex("^[^@ ]+@[^@ ]+[.][^@ ]+$", var.email))
    error_message = "`email` must be an address such as on-call@example.com."
  }
}

variable "topic" {
  description = "ARN of an SNS topic of your own, in place of one for `email`."
  type        = string
  default     = null
  validation {
    condition     = var.topic == null ? true : can(regex("^arn:aws[a-z-]*:sns:[a-z0-9-]+:[0-9]{12}:.+$", var.topic))
    error_message = "`topic` must be the ARN of an SNS topic."
  }
}

variable "percent" {
  description = "Percent of CPU or memory, of each service, above which an alarm goes off."
  type        = number
  default     = 80
  validation {
    condition     = var.percent > 0 && var.percent <= 100
    error_message = "`percent` must be above 0 and at most 100."
  }
}

variable "errors" {
  description = "Answers with 5xx of one color within a minute, above which an alarm goes off."
  type        = number
  default     = 10
  validation {
    condition     = var.errors >= 1
    error_message = "`errors` must be at least 1."
  }
}
