// swift-tools-version: 6.2
import PackageDescription

/// Threads of the kernel have stacks of their own, which the runtime's record of accesses under way
/// does not know; the guest is compiled with the same switch.
let ownStacks: [SwiftSetting] = [.unsafeFlags(["-enforce-exclusivity=unchecked"])]

/// References that cost no count need the compiler's own operation (`Lent.swift`).
let lending: [SwiftSetting] = [.enableExperimentalFeature("BuiltinModule")]

/// Most of the kernel does not become faster by more code, and the image is 1 MiB at most: functions that
/// are called all the time say `@_optimize(speed)`.
let small: [SwiftSetting] = [.unsafeFlags(["-Osize"], .when(configuration: .release))]

/// Targets of the kernel image. They also compile hosted, where `swift test` tests them.
let guest: [Target] = [
    .target(name: "LinuxABI"),
    .target(name: "LaunchRecord"),
    .target(
        name: "Platform",
        exclude: ["Process", "Virtual", "Interruption", "Fake", "HostCalls", "VDSO", "ACPI"]
    ),
    .target(
        name: "LoaderCore",
        dependencies: ["LinuxABI"],
        path: "Sources/Loader/Core",
        swiftSettings: small
    ),
    .target(
        name: "Rewriter",
        path: "Sources/SyscallShim/Rewriter",
        exclude: ["README.md"],
        swiftSettings: small
    ),
    .target(name: "NetStack", exclude: ["README.md"], swiftSettings: small),
    .target(
        name: "NineP",
        dependencies: ["LinuxABI"],
        exclude: ["README.md"],
        swiftSettings: small
    ),
    .target(
        name: "CoreDump",
        dependencies: ["LinuxABI"],
        exclude: ["README.md"],
        swiftSettings: small
    ),
    .target(
        name: "Kernel",
        dependencies: [
            "CoreDump", "LinuxABI", "LaunchRecord", "Platform", "LoaderCore", "NetStack", "NineP",
            "Terminal",
        ],
        swiftSettings: ownStacks + lending + small
    ),
    .target(
        name: "IORing",
        dependencies: ["Kernel", "LinuxABI"],
        exclude: ["README.md"],
        swiftSettings: ownStacks + small
    ),
    .target(
        name: "SyscallShim",
        dependencies: [
            "IORing", "Kernel", "LaunchRecord", "LinuxABI", "LoaderCore", "NetStack", "Platform",
            "Rewriter",
        ],
        exclude: ["Rewriter"],
        swiftSettings: small
    ),
    .target(name: "Registers", path: "Sources/Virtio/Registers"),
    .target(
        name: "Virtio",
        dependencies: ["Registers"],
        exclude: ["README.md", "Registers"],
        swiftSettings: small
    ),
    .target(
        name: "Terminal",
        dependencies: ["LinuxABI"],
        exclude: ["README.md"],
        swiftSettings: small
    ),
    .target(name: "ACPI", path: "Sources/Platform/ACPI", swiftSettings: small),
    .target(name: "HostCalls", path: "Sources/Platform/HostCalls"),
    .target(
        name: "Interruption",
        dependencies: ["Platform"],
        path: "Sources/Platform/Interruption"
    ),
    .target(
        name: "ProcessPlatform",
        dependencies: ["HostCalls", "Interruption", "LaunchRecord", "Platform"],
        path: "Sources/Platform/Process"
    ),
    .target(
        name: "VirtualPlatform",
        dependencies: [
            "ACPI", "Interruption", "LaunchRecord", "LinuxABI", "Platform", "Registers",
            "Terminal", "Virtio",
        ],
        path: "Sources/Platform/Virtual",
        swiftSettings: small
    ),
    .target(
        name: "Unikernel",
        dependencies: ["Kernel", "ProcessPlatform", "SyscallShim", "VirtualPlatform"],
        exclude: ["kernel.ld", "start-order.txt"]
    ),
]

/// Targets of the `unirun` command, which runs on the host.
let host: [Target] = [
    .systemLibrary(
        name: "CLibELF",
        path: "Sources/Loader/CLibELF",
        pkgConfig: "libelf",
        providers: [.apt(["libelf-dev", "zlib1g-dev"])]
    ),
    .target(
        name: "ELFFile",
        dependencies: ["CLibELF", "LinuxABI", "LoaderCore", "Rewriter"],
        path: "Sources/Loader/ELFFile"
    ),
    .target(name: "TenderSupport", path: "Sources/Tender/Support"),
    .target(
        name: "FolderServer",
        dependencies: ["LinuxABI", "NineP", "TenderSupport"],
        exclude: ["README.md"]
    ),
    .target(
        name: "Tender",
        dependencies: [
            "ELFFile", "FolderServer", "LaunchRecord", "TenderSupport",
            .product(name: "SystemPackage", package: "swift-system"),
        ],
        exclude: ["Support"]
    ),
    .executableTarget(
        name: "unirun",
        dependencies: [
            "ELFFile", "HostCalls", "LinuxABI", "LoaderCore", "SyscallShim", "Tender",
            .product(name: "ArgumentParser", package: "swift-argument-parser"),
            .product(name: "SystemPackage", package: "swift-system"),
        ],
        exclude: ["start-order.txt"]
    ),
]

let tests: [Target] = [
    .target(name: "FakePlatform", dependencies: ["Platform"], path: "Sources/Platform/Fake"),
    .target(name: "TestFiles", path: "Tests/TestFiles"),
    .testTarget(name: "LaunchRecordTests", dependencies: ["LaunchRecord"]),
    .target(
        name: "LoaderFuzzing",
        dependencies: ["ELFFile", "LinuxABI", "LoaderCore"],
        path: "Tests/LoaderFuzz/Library"
    ),
    .executableTarget(
        name: "loader-fuzz",
        dependencies: ["LoaderFuzzing"],
        path: "Tests/LoaderFuzz/Command"
    ),
    .testTarget(
        name: "LoaderTests",
        dependencies: ["ELFFile", "LinuxABI", "LoaderCore", "LoaderFuzzing", "TestFiles"]
    ),
    .testTarget(name: "NetStackTests", dependencies: ["NetStack"]),
    .testTarget(name: "TerminalTests", dependencies: ["LinuxABI", "Terminal"]),
    .testTarget(name: "ACPITests", dependencies: ["ACPI"]),
    .testTarget(name: "VirtioTests", dependencies: ["Virtio"]),
    .testTarget(name: "RewriterTests", dependencies: ["Rewriter", "TestFiles"]),
    .testTarget(name: "FolderServerTests", dependencies: ["FolderServer", "LinuxABI", "NineP"]),
    .testTarget(
        name: "KernelTests",
        dependencies: ["FakePlatform", "FolderServer", "Kernel", "NetStack", "NineP"],
        swiftSettings: ownStacks
    ),
    .testTarget(
        name: "SyscallShimTests",
        dependencies: ["FakePlatform", "LaunchRecord", "SyscallShim"]
    ),
    .executableTarget(name: "FakeKernel", path: "Tests/FakeKernel"),
    .target(name: "TenderTestSupport", path: "Tests/TenderTestSupport"),
    .testTarget(
        name: "TenderTests",
        dependencies: [
            "FakeKernel", "LaunchRecord", "Tender", "TenderTestSupport", "TestFiles", "unirun",
        ]
    ),
    .testTarget(name: "IntegrationTests", exclude: ["Programs"]),
]

let package = Package(
    name: "unirun",
    products: [
        .executable(name: "unirun", targets: ["unirun"]),
        .library(name: "Unikernel", type: .static, targets: ["Unikernel"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-system", from: "1.8.1"),
    ],
    targets: guest + host + tests,
    // The kernel brings its own concurrency: one lock, its own threads (docs/adr/0002).
    swiftLanguageModes: [.v5]
)

// `make check` sets this: there a warning is an error, but not while somebody works.
if Context.environment["UNIRUN_STRICT"] != nil {
    for target in package.targets where target.type != .system {
        target.swiftSettings = (target.swiftSettings ?? []) + [.treatAllWarnings(as: .error)]
    }
}
