//! The table of keys against the schema that the SDK of ECS carries.

use aws_sdk_ecs::operation::register_task_definition::RegisterTaskDefinitionInput;
use aws_sdk_ecs::types as sdk;

use super::*;

/// The kind of AWS's schema as the SDK names it.
fn shape(kind: ValueKind) -> &'static str {
    match kind {
        ValueKind::Text | ValueKind::Word => "String",
        ValueKind::Integer => "Integer",
        ValueKind::Boolean => "Boolean",
        ValueKind::List(_) => "List",
        ValueKind::Struct(_) => "Structure",
        ValueKind::Map => "Map",
    }
}

/// Keys that AWS's API model has and the SDK of Cargo.lock does not have yet.
const AHEAD: [&str; 1] = ["trustedExecutionConfiguration"];

/// Compares a structure of the table with the SDK's, keys and kinds, in any order.
macro_rules! assert_like_sdk {
    ($($sdk:ty = $keys:ident,)*) => { $({
        let mut theirs: Vec<(String, String)> = <$sdk>::SCHEMA
            .members()
            .iter()
            .filter_map(|m| Some((m.member_name()?.to_owned(), format!("{:?}", m.shape_type()).replace("Union", "Structure"))))
            .collect();
        let mut ours: Vec<(String, String)> = keys::$keys
            .iter()
            .filter(|(key, _)| !AHEAD.contains(key) || theirs.iter().any(|(their, _)| their == key))
            .map(|(key, kind)| ((*key).to_owned(), shape(*kind).to_owned()))
            .collect();
        theirs.sort();
        ours.sort();
        assert_eq!(ours, theirs, "{} differs from the SDK's: update schema/keys.rs", stringify!($keys));
    })* };
}

#[test]
#[expect(deprecated, reason = "AWS still takes inferenceAccelerators")]
fn the_keys_are_those_of_the_sdk() {
    assert_like_sdk! {
        RegisterTaskDefinitionInput = TASK_DEFINITION,
        sdk::ContainerDefinition = CONTAINER_DEFINITION,
        sdk::RepositoryCredentials = REPOSITORY_CREDENTIALS,
        sdk::PortMapping = PORT_MAPPING,
        sdk::ContainerRestartPolicy = CONTAINER_RESTART_POLICY,
        sdk::KeyValuePair = KEY_VALUE_PAIR,
        sdk::EnvironmentFile = ENVIRONMENT_FILE,
        sdk::MountPoint = MOUNT_POINT,
        sdk::VolumeFrom = VOLUME_FROM,
        sdk::LinuxParameters = LINUX_PARAMETERS,
        sdk::KernelCapabilities = KERNEL_CAPABILITIES,
        sdk::Device = DEVICE,
        sdk::Tmpfs = TMPFS,
        sdk::Secret = SECRET,
        sdk::ContainerDependency = CONTAINER_DEPENDENCY,
        sdk::HostEntry = HOST_ENTRY,
        sdk::Ulimit = ULIMIT,
        sdk::LogConfiguration = LOG_CONFIGURATION,
        sdk::HealthCheck = HEALTH_CHECK,
        sdk::SystemControl = SYSTEM_CONTROL,
        sdk::ResourceRequirement = RESOURCE_REQUIREMENT,
        sdk::SharingStrategy = SHARING_STRATEGY,
        sdk::NvidiaMpsAllocation = NVIDIA_MPS_ALLOCATION,
        sdk::FirelensConfiguration = FIRELENS_CONFIGURATION,
        sdk::Volume = VOLUME,
        sdk::HostVolumeProperties = HOST_VOLUME_PROPERTIES,
        sdk::DockerVolumeConfiguration = DOCKER_VOLUME,
        sdk::EfsVolumeConfiguration = EFS_VOLUME,
        sdk::EfsAuthorizationConfig = EFS_AUTHORIZATION,
        sdk::S3FilesVolumeConfiguration = S3_FILES_VOLUME,
        sdk::FSxWindowsFileServerVolumeConfiguration = FSX_VOLUME,
        sdk::FSxWindowsFileServerAuthorizationConfig = FSX_AUTHORIZATION,
        sdk::TaskDefinitionPlacementConstraint = PLACEMENT_CONSTRAINT,
        sdk::Tag = TAG,
        sdk::ProxyConfiguration = PROXY_CONFIGURATION,
        sdk::InferenceAccelerator = INFERENCE_ACCELERATOR,
        sdk::EphemeralStorage = EPHEMERAL_STORAGE,
        sdk::RuntimePlatform = RUNTIME_PLATFORM,
    }
}
