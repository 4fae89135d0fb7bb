//! Users on the load balancer while traffic walks over the presets, and what one redirect costs in calls.
