import Kernel
import LaunchRecord
import Platform
// Its entry is where the host starts the image.
import ProcessPlatform
import SyscallShim
import VirtualPlatform

@c(kernel_start)
public func kernelStart(
    _ information: UnsafePointer<boot_information>,
    _ operations: UnsafePointer<platform_operations>
) {
    Start.services(information, operations)
    let launch: Launch
    do throws(LaunchRecordReader.Failure) { launch = try Launch() } catch {
        refuse("the launch record is broken")
    }
    Network.prepare(launch.networkAddress)
    SystemCallTable.install()
    if launch.options.contains(.statistics) { NullCall.count() }
    launch.traceFilter.withUnsafeBytes { Tracer.install(launch.options, filterText: $0) }
    CaughtCalls.start(
        keepsSites: launch.options.contains(.keepSites),
        countsAll: launch.options.contains(.statistics)
    )
    Start.program(launch) { CaughtCalls.expect(launch.knownSites, in: $0) }
}
