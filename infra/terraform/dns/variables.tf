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

variable "domain" {
  description = "Name that users type, such as shop.example.com. Without it everything works over HTTP, and nothing is made here."
  type        = string
  default     = null
  validation {
    condition     = var.domain == null ? true : can(regex("^([a-z0-9]([a-z0-9-]*[a-z0-9])?\\.)+[a-z]{2,}$", var.domain)) && length(var.domain) <= 56
    error_message = "`domain` must be a name such as shop.example.com, in lower-case letters, with at most 56 characters: a certificate's name may have 64, and develop.DOMAIN is one of them."
  }
}

variable "zone" {
  description = "Public hosted zone in Route 53 that holds the domain, such as example.com. Required with `domain`."
  type        = string
  default     = null
  validation {
    condition     = var.zone == null ? true : can(regex("^([a-z0-9]([a-z0-9-]*[a-z0-9])?\\.)+[a-z]{2,}$", var.zone))
    error_message = "`zone` must be a name such as example.com, without a dot at the end."
  }
}
