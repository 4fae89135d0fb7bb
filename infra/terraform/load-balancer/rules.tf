locals {
  user_ports  = toset(distinct(concat([local.ports.production], local.https ? [80] : [])))
  user_access = { for pair in setproduct(local.user_ports, var.user_ranges) : "${pair[0]} ${pair[1]}" => { port = pair[0], range = pair[1] } }
  test_access = { for pair in setproduct(keys(local.test_ports), var.test_ranges) : "${pair[0]} ${pair[1]}" => { port = local.test_ports[pair[0]], range = pair[1] } }
}

resource "aws_vpc_security_group_ingress_rule" "users" {
  for_each = local.user_access

  security_group_id = local.network.load_balancer_group
  description       = "Users"
  ip_protocol       = "tcp"
  from_port         = each.value.port
  to_port           = each.value.port
  cidr_ipv4         = each.value.range
}

resource "aws_vpc_security_group_ingress_rule" "test" {
  for_each = local.test_access

  security_group_id = local.network.load_balancer_group
  description       = "Test listeners"
  ip_protocol       = "tcp"
  from_port         = each.value.port
  to_port           = each.value.port
  cidr_ipv4         = each.value.range
}

resource "aws_vpc_security_group_egress_rule" "tasks" {
  security_group_id            = local.network.load_balancer_group
  description                  = "To the tasks"
  ip_protocol                  = "tcp"
  from_port                    = var.container_port
  to_port                      = var.container_port
  referenced_security_group_id = local.network.tasks_group
}

resource "aws_vpc_security_group_ingress_rule" "tasks" {
  security_group_id            = local.network.tasks_group
  description                  = "From the load balancer"
  ip_protocol                  = "tcp"
  from_port                    = var.container_port
  to_port                      = var.container_port
  referenced_security_group_id = local.network.load_balancer_group
}
