/**
 * Who can decrypt `secrets/secrets.yaml`: everybody, for the private half is among the tests. It must be no recipient of
 * a host's file.
 */
export const DEVELOPMENT_RECIPIENT = 'age1y7693pschs34mw9leusgvq0pwcsk5aeqryp9xlfagngyyncs3a0qaxthhz';
