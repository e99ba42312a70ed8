import LaunchRecord
import TenderSupport

/// A launch made concrete: the request, and what was found out about the host's files.
struct LaunchFacts {
    var guestProgramPath: String
    /// Bytes of the program's file; `nil` when the program is in the root image.
    var programSize: UInt64?
    /// `nil` without a root image.
    var rootImageSize: UInt64?
    var streams: [HostStream]
    /// Bit n-1 for signal n that was ignored when `unirun` started.
    var ignoredSignals: UInt64
    var randomSeed: [UInt8]
    var knownSites: [KnownSite]
}

extension LaunchRequest {
    /// The launch record that the kernel reads.
    func record(_ facts: LaunchFacts) throws(LaunchFailure) -> [UInt8] {
        var writer = LaunchRecordWriter()
        writer.add(.programPath, facts.guestProgramPath)
        writer.add(.argument, program)
        for argument in arguments { writer.add(.argument, argument) }
        for variable in completeEnvironment { writer.add(.environment, variable) }
        writer.add(.workingDirectory, workingDirectory)
        writer.addUser(user.user, group: user.group)
        writer.add(.hostname, hostname)
        if let memoryLimit { writer.add(.memoryLimit, memoryLimit) }
        writer.add(.options, options(facts).rawValue)
        for directory in temporaryDirectories { writer.add(.temporaryDirectory, directory) }
        for volume in volumes {
            writer.addVolume(volume.guestPath, isReadOnly: volume.isReadOnly)
        }
        if let trace, !trace.filter.isEmpty { writer.add(.traceFilter, trace.filter) }
        writer.add(.randomSeed, facts.randomSeed)
        if let size = facts.programSize { writer.add(.programSize, size) }
        if let size = facts.rootImageSize { writer.add(.rootImageSize, size) }
        writer.addStandardStreams(facts.streams)
        if facts.ignoredSignals != 0 { writer.add(.ignoredSignals, facts.ignoredSignals) }
        if !facts.knownSites.isEmpty { writer.addKnownSites(facts.knownSites) }
        if let address {
            writer.addNetworkAddress(address.bits, prefixLength: UInt32(address.prefixLength))
        }
        writer.add(.tellsVectorUse, tender_tells_vector_use() ? 1 : 0)
        let record = writer.record
        guard record.count <= LaunchRecord.maximumSize else {
            throw LaunchFailure(
                "cannot run \(program): arguments and environment are too long "
                    + "(\(record.count) bytes, \(LaunchRecord.maximumSize) at most); pass a file instead",
                status: LaunchFailure.cannotRunStatus
            )
        }
        return record
    }

    /// The environment, and before it what a container's programs find in theirs unless it was said
    /// otherwise: a shell's children know where programs are only if it is told so.
    var completeEnvironment: [String] {
        let usual = [
            "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
            "HOSTNAME=\(hostname)",
            "HOME=\(user.user == 0 ? "/root" : "/")",
        ]
        return usual.filter { !isNamed($0) } + environment
    }

    /// Whether the variable of a `NAME=value` is set.
    private func isNamed(_ variable: String) -> Bool {
        let end = variable.utf8.firstIndex(of: UInt8(ascii: "="))!
        let start = variable.utf8[...end]
        return environment.contains { $0.utf8.starts(with: start) }
    }

    private func options(_ facts: LaunchFacts) -> LaunchOptions {
        var options: LaunchOptions = []
        if facts.rootImageSize != nil { options.insert(.rootImage) }
        if isRootReadOnly { options.insert(.readOnlyRoot) }
        if trace != nil { options.insert(.trace) }
        if wantsStatistics { options.insert(.statistics) }
        if usesSlowClock { options.insert(.slowClock) }
        if core != nil { options.insert(.takesCores) }
        if keepsSites { options.insert(.keepSites) }
        if hasOwnTerminal { options.insert(.ownTerminal) }
        if tender_processor_count() > 1 { options.insert(.severalProcessors) }
        return options
    }
}
