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

variable "image" {
  description = "Image of the first tasks, with a tag or digest. Without it, the repository's tag `initial`: push it first, or leave the services without healthy tasks until the first deploy. Later images are the action's."
  type        = string
  default     = null
  validation {
    condition     = var.image == null ? true : can(regex("^[^ ]+(:[A-Za-z0-9_][A-Za-z0-9._-]{0,127}|@sha256:[0-9a-f]{64})$", var.image))
    error_message = "`image` must end with a tag or a digest, such as 123456789012.dkr.ecr.eu-west-1.amazonaws.com/shop/web:1.4.2."
  }
}

variable "cpu" {
  description = "CPU units of a task; 1024 are one vCPU."
  type        = number
  default     = 256
  validation {
    condition     = contains([256, 512, 1024, 2048, 4096, 8192, 16384], var.cpu)
    error_message = "`cpu` must be 256, 512, 1024, 2048, 4096, 8192 or 16384."
  }
}

variable "memory" {
  description = "MiB of a task."
  type        = number
  default     = 512
  validation {
    condition     = var.memory >= 512 && var.memory <= 122880 && floor(var.memory) == var.memory
    error_message = "`memory` must be 512 to 122880 MiB."
  }
}

variable "counts" {
  description = "Tasks of each service on the first day. Later counts are the action's and the scaling's."
  type        = object({ blue = optional(number, 2), green = optional(number, 1), develop = optional(number, 1) })
  default     = {}
  validation {
    condition     = alltrue([for count in values(var.counts) : count >= 0 && count <= 1000 && floor(count) == count])
    error_message = "`counts` must be whole numbers, 0 to 1000."
  }
}

variable "environment" {
  description = "Environment variables of the container. Secrets belong in `secrets` of roles."
  type        = map(string)
  default     = {}
  validation {
    condition     = alltrue([for name in keys(var.environment) : can(regex("^[A-Za-z_][A-Za-z0-9_]*$", name))])
    error_message = "`environment` must have names such as LOG_LEVEL."
  }
}

variable "stop_timeout" {
  description = "Seconds between SIGTERM and SIGKILL. A request that is longer is cut off."
  type        = number
  default     = 30
  validation {
    condition     = var.stop_timeout >= 2 && var.stop_timeout <= 120
    error_message = "`stop_timeout` must be 2 to 120 seconds: ECS allows no more."
  }
}

variable "grace_period" {
  description = "Seconds after a task's start in which failed health checks do not count. Longer than the application's start, shorter than the action's `timeout`."
  type        = number
  default     = 60
  validation {
    condition     = var.grace_period >= 0 && var.grace_period <= 900
    error_message = "`grace_period` must be 0 to 900 seconds: with a longer one a broken version is noticed too late."
  }
}

variable "log_days" {
  description = "Days that logs stay."
  type        = number
  default     = 30
  validation {
    condition     = contains([1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 3653], var.log_days)
    error_message = "`log_days` must be a number that CloudWatch Logs knows: 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827 or 3653."
  }
}

variable "max_tasks" {
  description = "Largest number of tasks that scaling gives a color. Only with scaling = \"terraform\"."
  type        = number
  default     = 6
  validation {
    condition     = var.max_tasks >= 1 && var.max_tasks <= 1000 && floor(var.max_tasks) == var.max_tasks
    error_message = "`max_tasks` must be a whole number, 1 to 1000."
  }
}

variable "thresholds" {
  description = "Percent of CPU or memory above which tasks are added, and below which one is taken. Only with scaling = \"terraform\"."
  type        = object({ cpu = optional(number, 80), memory = optional(number, 80), low = optional(number, 40) })
  default     = {}
  validation {
    condition     = var.thresholds.low > 0 && var.thresholds.low < var.thresholds.cpu && var.thresholds.low < var.thresholds.memory && var.thresholds.cpu <= 100 && var.thresholds.memory <= 100
    error_message = "`thresholds` must be percentages, and `low` less than `cpu` and `memory`."
  }
}
