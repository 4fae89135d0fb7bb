//! The keys of RegisterTaskDefinition with the kind of each, from the API model of ECS (version 2014-11-13, as of
//! botocore 1.44.5). A test compares the keys with the SDK's. The kind also decides if a text may be shown.

use super::ValueKind::{self, Boolean, Integer, List, Map, Struct, Text, Word};

/// Keys and kinds of one structure, in AWS's order.
pub(crate) type Keys = &'static [(&'static str, ValueKind)];

/// The request of `RegisterTaskDefinition`.
pub(crate) const TASK_DEFINITION: Keys = &[
    ("family", Word),
    ("taskRoleArn", Text),
    ("executionRoleArn", Text),
    ("networkMode", Word),
    ("containerDefinitions", List(&Struct(CONTAINER_DEFINITION))),
    ("volumes", List(&Struct(VOLUME))),
    ("placementConstraints", List(&Struct(PLACEMENT_CONSTRAINT))),
    ("requiresCompatibilities", List(&Word)),
    ("cpu", Word),
    ("memory", Word),
    ("tags", List(&Struct(TAG))),
    ("pidMode", Word),
    ("ipcMode", Word),
    ("proxyConfiguration", Struct(PROXY_CONFIGURATION)),
    ("inferenceAccelerators", List(&Struct(INFERENCE_ACCELERATOR))),
    ("ephemeralStorage", Struct(EPHEMERAL_STORAGE)),
    ("runtimePlatform", Struct(RUNTIME_PLATFORM)),
    ("enableFaultInjection", Boolean),
    ("trustedExecutionConfiguration", Struct(TRUSTED_EXECUTION)),
];

/// API_ContainerDefinition.
pub(crate) const CONTAINER_DEFINITION: Keys = &[
    ("name", Word),
    ("image", Word),
    ("repositoryCredentials", Struct(REPOSITORY_CREDENTIALS)),
    ("cpu", Integer),
    ("memory", Integer),
    ("memoryReservation", Integer),
    ("links", List(&Text)),
    ("portMappings", List(&Struct(PORT_MAPPING))),
    ("essential", Boolean),
    ("restartPolicy", Struct(CONTAINER_RESTART_POLICY)),
    ("entryPoint", List(&Text)),
    ("command", List(&Text)),
    ("environment", List(&Struct(KEY_VALUE_PAIR))),
    ("environmentFiles", List(&Struct(ENVIRONMENT_FILE))),
    ("mountPoints", List(&Struct(MOUNT_POINT))),
    ("volumesFrom", List(&Struct(VOLUME_FROM))),
    ("linuxParameters", Struct(LINUX_PARAMETERS)),
    ("secrets", List(&Struct(SECRET))),
    ("dependsOn", List(&Struct(CONTAINER_DEPENDENCY))),
    ("startTimeout", Integer),
    ("stopTimeout", Integer),
    ("versionConsistency", Word),
    ("hostname", Text),
    ("user", Word),
    ("workingDirectory", Word),
    ("disableNetworking", Boolean),
    ("privileged", Boolean),
    ("readonlyRootFilesystem", Boolean),
    ("dnsServers", List(&Text)),
    ("dnsSearchDomains", List(&Text)),
    ("extraHosts", List(&Struct(HOST_ENTRY))),
    ("dockerSecurityOptions", List(&Text)),
    ("interactive", Boolean),
    ("pseudoTerminal", Boolean),
    ("dockerLabels", Map),
    ("ulimits", List(&Struct(ULIMIT))),
    ("logConfiguration", Struct(LOG_CONFIGURATION)),
    ("healthCheck", Struct(HEALTH_CHECK)),
    ("systemControls", List(&Struct(SYSTEM_CONTROL))),
    ("resourceRequirements", List(&Struct(RESOURCE_REQUIREMENT))),
    ("firelensConfiguration", Struct(FIRELENS_CONFIGURATION)),
    ("credentialSpecs", List(&Text)),
];

/// API_RepositoryCredentials.
pub(crate) const REPOSITORY_CREDENTIALS: Keys = &[("credentialsParameter", Text)];

/// API_PortMapping.
pub(crate) const PORT_MAPPING: Keys = &[
    ("containerPort", Integer),
    ("hostPort", Integer),
    ("protocol", Word),
    ("name", Word),
    ("appProtocol", Word),
    ("containerPortRange", Word),
];

/// API_ContainerRestartPolicy.
pub(crate) const CONTAINER_RESTART_POLICY: Keys =
    &[("enabled", Boolean), ("ignoredExitCodes", List(&Integer)), ("restartAttemptPeriod", Integer)];

/// API_KeyValuePair.
pub(crate) const KEY_VALUE_PAIR: Keys = &[("name", Text), ("value", Text)];

/// API_EnvironmentFile.
pub(crate) const ENVIRONMENT_FILE: Keys = &[("value", Text), ("type", Word)];

/// API_MountPoint.
pub(crate) const MOUNT_POINT: Keys =
    &[("sourceVolume", Word), ("containerPath", Word), ("readOnly", Boolean)];

/// API_VolumeFrom.
pub(crate) const VOLUME_FROM: Keys = &[("sourceContainer", Word), ("readOnly", Boolean)];

/// API_LinuxParameters.
pub(crate) const LINUX_PARAMETERS: Keys = &[
    ("capabilities", Struct(KERNEL_CAPABILITIES)),
    ("devices", List(&Struct(DEVICE))),
    ("initProcessEnabled", Boolean),
    ("sharedMemorySize", Integer),
    ("tmpfs", List(&Struct(TMPFS))),
    ("maxSwap", Integer),
    ("swappiness", Integer),
];

/// API_KernelCapabilities.
pub(crate) const KERNEL_CAPABILITIES: Keys = &[("add", List(&Word)), ("drop", List(&Word))];

/// API_Device.
pub(crate) const DEVICE: Keys = &[("hostPath", Word), ("containerPath", Word), ("permissions", List(&Word))];

/// API_Tmpfs.
pub(crate) const TMPFS: Keys = &[("containerPath", Word), ("size", Integer), ("mountOptions", List(&Text))];

/// API_Secret.
pub(crate) const SECRET: Keys = &[("name", Text), ("valueFrom", Text)];

/// API_ContainerDependency.
pub(crate) const CONTAINER_DEPENDENCY: Keys = &[("containerName", Word), ("condition", Word)];

/// API_HostEntry.
pub(crate) const HOST_ENTRY: Keys = &[("hostname", Text), ("ipAddress", Text)];

/// API_Ulimit.
pub(crate) const ULIMIT: Keys = &[("name", Word), ("softLimit", Integer), ("hardLimit", Integer)];

/// API_LogConfiguration.
pub(crate) const LOG_CONFIGURATION: Keys =
    &[("logDriver", Word), ("options", Map), ("secretOptions", List(&Struct(SECRET)))];

/// API_HealthCheck.
pub(crate) const HEALTH_CHECK: Keys = &[
    ("command", List(&Text)),
    ("interval", Integer),
    ("timeout", Integer),
    ("retries", Integer),
    ("startPeriod", Integer),
];

/// API_SystemControl.
pub(crate) const SYSTEM_CONTROL: Keys = &[("namespace", Word), ("value", Text)];

/// API_ResourceRequirement.
pub(crate) const RESOURCE_REQUIREMENT: Keys =
    &[("value", Word), ("type", Word), ("sharingStrategy", Struct(SHARING_STRATEGY))];

/// API_SharingStrategy.
pub(crate) const SHARING_STRATEGY: Keys = &[("nvidiaMps", Struct(NVIDIA_MPS_ALLOCATION))];

/// API_NvidiaMpsAllocation.
pub(crate) const NVIDIA_MPS_ALLOCATION: Keys = &[("memory", Integer), ("maxComputePercent", Integer)];

/// API_FirelensConfiguration.
pub(crate) const FIRELENS_CONFIGURATION: Keys = &[("type", Word), ("options", Map)];

/// API_Volume.
pub(crate) const VOLUME: Keys = &[
    ("name", Word),
    ("host", Struct(HOST_VOLUME_PROPERTIES)),
    ("dockerVolumeConfiguration", Struct(DOCKER_VOLUME)),
    ("efsVolumeConfiguration", Struct(EFS_VOLUME)),
    ("s3filesVolumeConfiguration", Struct(S3_FILES_VOLUME)),
    ("fsxWindowsFileServerVolumeConfiguration", Struct(FSX_VOLUME)),
    ("configuredAtLaunch", Boolean),
];

/// API_HostVolumeProperties.
pub(crate) const HOST_VOLUME_PROPERTIES: Keys = &[("sourcePath", Word)];

/// API_DockerVolumeConfiguration.
pub(crate) const DOCKER_VOLUME: Keys =
    &[("scope", Word), ("autoprovision", Boolean), ("driver", Word), ("driverOpts", Map), ("labels", Map)];

/// API_EFSVolumeConfiguration.
pub(crate) const EFS_VOLUME: Keys = &[
    ("fileSystemId", Word),
    ("rootDirectory", Word),
    ("transitEncryption", Word),
    ("transitEncryptionPort", Integer),
    ("authorizationConfig", Struct(EFS_AUTHORIZATION)),
];

/// API_EFSAuthorizationConfig.
pub(crate) const EFS_AUTHORIZATION: Keys = &[("accessPointId", Word), ("iam", Word)];

/// API_S3FilesVolumeConfiguration.
pub(crate) const S3_FILES_VOLUME: Keys = &[
    ("fileSystemArn", Text),
    ("rootDirectory", Word),
    ("transitEncryptionPort", Integer),
    ("accessPointArn", Text),
];

/// API_FSxWindowsFileServerVolumeConfiguration.
pub(crate) const FSX_VOLUME: Keys =
    &[("fileSystemId", Word), ("rootDirectory", Word), ("authorizationConfig", Struct(FSX_AUTHORIZATION))];

/// API_FSxWindowsFileServerAuthorizationConfig.
pub(crate) const FSX_AUTHORIZATION: Keys = &[("credentialsParameter", Text), ("domain", Text)];

/// API_TaskDefinitionPlacementConstraint.
pub(crate) const PLACEMENT_CONSTRAINT: Keys = &[("type", Word), ("expression", Text)];

/// API_Tag.
pub(crate) const TAG: Keys = &[("key", Text), ("value", Text)];

/// API_ProxyConfiguration.
pub(crate) const PROXY_CONFIGURATION: Keys =
    &[("type", Word), ("containerName", Word), ("properties", List(&Struct(KEY_VALUE_PAIR)))];

/// API_InferenceAccelerator.
pub(crate) const INFERENCE_ACCELERATOR: Keys = &[("deviceName", Word), ("deviceType", Word)];

/// API_EphemeralStorage.
pub(crate) const EPHEMERAL_STORAGE: Keys = &[("sizeInGiB", Integer)];

/// API_RuntimePlatform.
pub(crate) const RUNTIME_PLATFORM: Keys = &[("cpuArchitecture", Word), ("operatingSystemFamily", Word)];

/// API_TrustedExecutionConfiguration.
pub(crate) const TRUSTED_EXECUTION: Keys = &[("isolationMode", Word), ("attestationPolicy", Text)];
