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

variable "repository_name" {
  description = "Name of the ECR repository. Without it, NAME/web."
  type        = string
  default     = null
  validation {
    condition     = var.repository_name == null ? true : can(regex("^[a-z0-9]+([._/-][a-z0-9]+)*$", var.repository_name)) && length(var.repository_name) >= 2 && length(var.repository_name) <= 256
    error_message = "`repository_name` must be a name such as shop/web: lower-case letters and digits, with single . _ / - between them."
  }
}

variable "keep_images" {
  description = "Number of newest images that stay. An older image can't be rolled back to."
  type        = number
  default     = 200
  validation {
    condition     = var.keep_images >= 20 && floor(var.keep_images) == var.keep_images
    error_message = "`keep_images` must be a whole number, at least 20: what both colors run has to stay."
  }
}

variable "untagged_days" {
  description = "Days after which an image without a tag goes."
  type        = number
  default     = 14
  validation {
    condition     = var.untagged_days >= 1 && floor(var.untagged_days) == var.untagged_days
    error_message = "`untagged_days` must be a whole number, at least 1."
  }
}
