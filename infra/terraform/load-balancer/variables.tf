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

variable "develop" {
  description = "Whether there is a third service, develop, that never takes production traffic."
  type        = bool
  default     = true
}

variable "container_port" {
  description = "Port on which the container listens."
  type        = number
  default     = 8080
  validation {
    condition     = var.container_port >= 1 && var.container_port <= 65535 && floor(var.container_port) == var.container_port
    error_message = "`container_port` must be a port, 1 to 65535."
  }
}

variable "health_check" {
  description = "How the load balancer checks a task: path, expected status, seconds between checks, seconds it waits for an answer, and how many checks in a row decide."
  type = object({
    path      = optional(string, "/healthz")
    matcher   = optional(string, "200")
    interval  = optional(number, 10)
    timeout   = optional(number, 5)
    healthy   = optional(number, 2)
    unhealthy = optional(number, 3)
  })
  default = {}
  validation {
    condition     = startswith(var.health_check.path, "/")
    error_message = "`health_check.path` must begin with /."
  }
  validation {
    condition     = var.health_check.interval > var.health_check.timeout && var.health_check.interval >= 5 && var.health_check.interval <= 300 && var.health_check.timeout >= 2
    error_message = "`health_check.interval` must be 5 to 300 seconds and longer than `health_check.timeout`, which must be at least 2."
  }
  validation {
    condition     = alltrue([for count in [var.health_check.healthy, var.health_check.unhealthy] : count >= 2 && count <= 10])
    error_message = "`health_check.healthy` and `health_check.unhealthy` must be 2 to 10."
  }
}

variable "rules" {
  description = "More production rules, by name: priority, and paths or hosts. Each forwards to both colors, as the listener does."
  type = map(object({
    priority = number
    paths    = optional(list(string), [])
    hosts    = optional(list(string), [])
  }))
  default = {}
  validation {
    condition     = alltrue([for rule in var.rules : rule.priority >= 1 && rule.priority <= 50000]) && length(distinct([for rule in var.rules : rule.priority])) == length(var.rules)
    error_message = "Each of `rules` must have a priority of its own, 1 to 50000."
  }
  validation {
    condition     = alltrue([for rule in var.rules : length(rule.paths) + length(rule.hosts) > 0])
    error_message = "Each of `rules` must have `paths` or `hosts`."
  }
}

variable "ports" {
  description = "Ports of the listeners. Without one: production 80, blue 8081, green 8080, develop 9090; with a certificate 443, 8444, 8443 and 9443. 0 leaves a test listener out."
  type = object({
    production = optional(number)
    blue       = optional(number)
    green      = optional(number)
    develop    = optional(number)
  })
  default = {}
  validation {
    condition     = alltrue([for port in values(var.ports) : port == null ? true : port >= 0 && port <= 65535 && floor(port) == port])
    error_message = "`ports` must be 1 to 65535, or 0 for no test listener."
  }
  validation {
    condition     = var.ports.production == null ? true : var.ports.production > 0
    error_message = "`ports.production` must not be 0: users need a listener."
  }
  validation {
    condition     = length(distinct([for port in values(var.ports) : port if port != null && port != 0])) == length([for port in values(var.ports) : port if port != null && port != 0])
    error_message = "`ports` must differ from each other."
  }
}

variable "user_ranges" {
  description = "IPv4 ranges whose users may reach production."
  type        = set(string)
  default     = ["0.0.0.0/0"]
  validation {
    condition     = alltrue([for range in var.user_ranges : can(cidrhost(range, 0))])
    error_message = "`user_ranges` must be IPv4 ranges such as 203.0.113.0/24."
  }
}

variable "test_ranges" {
  description = "IPv4 ranges that may reach the test listeners, such as an office's. Without any, the test ports are closed."
  type        = set(string)
  default     = []
  validation {
    condition     = alltrue([for range in var.test_ranges : can(cidrhost(range, 0))])
    error_message = "`test_ranges` must be IPv4 ranges such as 203.0.113.0/24."
  }
  validation {
    condition     = alltrue([for range in var.test_ranges : !endswith(range, "/0")])
    error_message = "`test_ranges` must not be the whole internet: the test listeners show versions that no user has seen."
  }
}

variable "certificate" {
  description = "ARN of a certificate in ACM, in `region`. Without it, that of dns; without a domain there, HTTP."
  type        = string
  default     = null
  validation {
    condition     = var.certificate == null ? true : can(regex("^arn:aws[a-z-]*:acm:[a-z0-9-]+:[0-9]{12}:certificate/", var.certificate))
    error_message = "`certificate` must be the ARN of a certificate in ACM, such as arn:aws:acm:eu-west-1:123456789012:certificate/ID."
  }
}

variable "idle_timeout" {
  description = "Seconds after which the load balancer closes an idle connection. Must be shorter than the application's keep-alive."
  type        = number
  default     = 60
  validation {
    condition     = var.idle_timeout >= 1 && var.idle_timeout <= 4000
    error_message = "`idle_timeout` must be 1 to 4000 seconds."
  }
}

variable "deregistration_delay" {
  description = "Seconds that a task which leaves still gets for its requests. The drain of a color is as long."
  type        = number
  default     = 30
  validation {
    condition     = var.deregistration_delay >= 0 && var.deregistration_delay <= 3600
    error_message = "`deregistration_delay` must be 0 to 3600 seconds."
  }
}

variable "deletion_protection" {
  description = "Whether AWS refuses to delete the load balancer. `infra/run destroy` turns it off."
  type        = bool
  default     = true
}

variable "access_logs_bucket" {
  description = "S3 bucket for access logs. Its policy must let Elastic Load Balancing write."
  type        = string
  default     = null
}
